// A provider of OpenID Connect for the stories of single sign-on: panva's oidc-provider, with the people of the story. Anybody
// signs in by his name alone. Prints its address once it listens.
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { generateKeyPairSync } from 'node:crypto';
import { pathToFileURL } from 'node:url';

const [place, callback, kind] = process.argv.slice(2);
const require = createRequire(`${place}/`);
const { default: Provider } = await import(pathToFileURL(require.resolve('oidc-provider')).href);

const people = {
  olga: { preferred_username: 'olga@example.org', groups: ['it', 'license-admins'] },
  vera: { preferred_username: 'vera', groups: ['staff'] },
  nora: { preferred_username: 'nora', groups: ['guests'] },
  ada: { preferred_username: 'ada', groups: ['license-admins'] },
  odd: { preferred_username: 'not a name', groups: ['staff'] },
};
const key = kind === 'EC'
  ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
  : generateKeyPairSync('rsa', { modulusLength: 2048 });
const jwk = { ...key.privateKey.export({ format: 'jwk' }), use: 'sig', kid: `key-${process.pid}` };
const alg = kind === 'EC' ? 'ES256' : 'RS256';
const server = createServer();
server.listen(Number(process.env.PORT ?? 0), '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    jwks: { keys: [jwk] },
    clients: [{
      client_id: 'seatline',
      client_secret: 'the secret: & of the client',
      redirect_uris: [callback],
      post_logout_redirect_uris: [callback.replace(/\/sign-in\/.*/, '/sign-in')],
      id_token_signed_response_alg: alg,
      require_auth_time: true,
    }],
    claims: { openid: ['sub', 'groups'], profile: ['preferred_username'] },
    pkce: { required: () => true },
    cookies: { keys: ['story'] },
    findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, ...people[id] }) }),
    features: { devInteractions: { enabled: true } },
  });
  server.on('request', provider.callback());
  console.log(issuer);
});
