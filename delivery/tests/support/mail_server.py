"""A mail server (aiosmtpd) as a test describes it, in JSON as the only argument. It prints its port, then a line of JSON
for each mail that it takes."""

import asyncio
import json
import logging
import ssl
import sys
import warnings

from aiosmtpd.smtp import SMTP, AuthResult

logging.disable()
warnings.simplefilter("ignore")
wish = json.loads(sys.argv[1])
greylisted = set()


class Handler:
    async def handle_RCPT(self, server, session, envelope, address, options):
        refusal = wish.get("refuse", {}).get(address)
        if refusal:
            return refusal
        if address in wish.get("greylist", []) and address not in greylisted:
            greylisted.add(address)
            return "451 4.7.1 Greylisted, try again later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        mail = {
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "text": envelope.content.decode("utf-8"),
            "user": session.auth_data,
            "encrypted": session.ssl is not None or wish["security"] == "tls",
        }
        print(json.dumps(mail), flush=True)
        return "250 OK"


def authenticate(server, session, envelope, mechanism, data):
    user, password = data.login.decode(), data.password.decode()
    if wish["users"].get(user) == password:
        return AuthResult(success=True, auth_data=user)
    # As some servers do, it says what it was told.
    return AuthResult(success=False, handled=False, message=f"535 5.7.8 no user with the password {password}")


def make():
    users = wish.get("users")
    return SMTP(
        Handler(),
        hostname="mail.test",
        tls_context=context if wish["security"] == "starttls" else None,
        require_starttls=wish["security"] == "starttls",
        authenticator=authenticate if users else None,
        auth_required=bool(users),
        auth_require_tls=not users or wish["security"] == "starttls",
        auth_exclude_mechanism=wish.get("without", []),
    )


async def main():
    loop = asyncio.get_running_loop()
    encrypted = context if wish["security"] == "tls" else None
    server = await loop.create_server(make, "127.0.0.1", wish.get("port", 0), ssl=encrypted)
    print(server.sockets[0].getsockname()[1], flush=True)
    # It ends with the test, however that ends.
    await loop.run_in_executor(None, sys.stdin.read)


context = None
if wish["security"] != "plain":
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(wish["certificate"])
asyncio.run(main())
