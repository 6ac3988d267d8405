//! What `seatline.toml` may say, and what it may not.

use super::*;
use seatline_protocol::PublicKey;

const PRODUCT: &str = "[product]\nid = 'acme-wiki'\nname = 'Acme Wiki'\nversion = '4.2.0'\n";

fn parse(rest: &str) -> Result<Config, Problem> {
    Config::parse(&format!("{PRODUCT}{rest}"), Path::new("/data"))
}

fn problem(rest: &str) -> String {
    parse(rest).expect_err("a problem").to_string()
}

#[test]
fn the_example_is_a_whole_configuration() {
    let config = Config::parse(include_str!("../../seatline.example.toml"), Path::new("/data")).expect("the example");
    assert_eq!(config.product.id.as_str(), "acme-wiki");
    assert_eq!(config.dimensions.len(), 4);
    assert!(!config.license.vendor_keys.is_empty());
}

#[test]
fn the_example_names_every_key() {
    let example = include_str!("../../seatline.example.toml");
    let keys = ["id", "name", "version", "edition", "released", "nodes", "database", "database_env", "password_env"];
    let more = ["password_file", "tls_ca_file", "query", "time_limit", "vendor_keys", "file", "environment"];
    for key in keys.iter().chain(&more).chain(&[
        "memory_mib",
        "format",
        "level",
        "listen",
        "allow_remote",
        "public_url",
        "hosts",
        "proxies",
        "run",
        "host",
        "port",
        "security",
        "user",
        "ca_file",
        "sender",
        "recipients",
        "url",
        "secret_file",
        "secret_env",
        "store",
        "schema",
        "node",
        "lapse_after",
        "policy",
        "birth_mark",
        "look_every",
        "staging",
        "wait",
        "proxy",
        "proxy_user",
        "proxy_password_file",
    ]) {
        let is_there = example.lines().any(|line| line.trim_start_matches("# ").starts_with(&format!("{key} =")));
        assert!(is_there, "{key} is not documented in the example");
    }
}

#[test]
fn s2_a_database_bound_identity_needs_a_birth_mark_and_takes_the_database_of_the_accounts() {
    let accounts = "[accounts]\ndatabase = 'wiki.db'\nquery = 'q'\n";
    let bound = |rest: &str| {
        let text = format!("[identity]\npolicy = 'database-bound'\nbirth_mark = 'select 1'\n{rest}");
        parse(&text).expect("a configuration").identity.binding.expect("it is bound")
    };
    assert!(bound("").sql.is_none(), "none is set up yet");
    assert_eq!(bound(accounts).time_limit, 5);
    assert!(bound(accounts).sql.is_some() && bound("database = 'other.db'").sql.is_some());
    let plain = parse("").expect("a configuration").identity;
    assert!(plain.binding.is_none() && !plain.staging);
    assert!(parse("[identity]\nstaging = true").expect("a configuration").identity.staging);
    for (rest, said) in [
        ("policy = 'database-bound'", "line 5: `identity.birth_mark` is missing"),
        ("policy = 'bound'", "line 6: `identity.policy` must be \"instance\" or \"database-bound\""),
        ("birth_mark = 'x'", "line 6: `identity.birth_mark` is for `policy = \"database-bound\"`"),
        ("policy = 'instance'\ndatabase = 'x.db'", "line 7: `identity.database` is for `policy = \"database-bound\"`"),
        ("staging = 'yes'", "line 6: `identity.staging` must be true or false, not a string"),
        (
            "policy = 'database-bound'\nbirth_mark = 'x'\ntime_limit = 301",
            "line 8: `identity.time_limit` must be from 1 to 300",
        ),
    ] {
        assert_eq!(problem(&format!("[identity]\n{rest}")), said);
    }
}

#[test]
fn w6_it_waits_for_the_central_server_unless_that_is_switched_off() {
    let waits = |rest: &str| parse(rest).expect("a configuration").link.wait;
    assert!(waits("") && waits("[link]") && waits("[link]\nwait = true"));
    assert!(!waits("[link]\nwait = false"));
    assert_eq!(problem("[link]\nwait = 'no'"), "line 6: `link.wait` must be true or false, not a string");
}

#[test]
fn the_product_alone_is_enough() {
    let config = parse("").expect("the product alone");
    assert_eq!(config.product.nodes, None);
    assert!(config.accounts.is_none());
    assert_eq!(config.license.environment, "SEATLINE_LICENSE");
}

#[test]
fn g7_it_listens_on_this_machine_alone_unless_something_else_is_said() {
    let listen = |rest: &str| {
        let listen = parse(rest).expect("a configuration").http.listen;
        listen.map_or_else(|| "nowhere".to_owned(), |address| address.to_string())
    };
    assert_eq!(listen(""), "127.0.0.1:8096");
    assert_eq!(listen("[http]\nlisten = '[::1]:80'"), "[::1]:80");
    assert_eq!(listen("[http]\nlisten = 'unix:api.sock'"), "unix:/data/api.sock", "relative to the data directory");
    assert_eq!(listen("[http]\nlisten = 'off'"), "nowhere");
    assert_eq!(listen("[http]\nlisten = '0.0.0.0:80'\nallow_remote = true"), "0.0.0.0:80");
}

#[test]
fn the_state_is_in_files_or_in_postgresql() {
    let postgres = "[state]\ndatabase = 'postgres://db/wiki'\n";
    assert!(matches!(parse("").expect("none").state, State::Directory));
    assert!(matches!(parse("[state]\nstore = 'directory'").expect("files").state, State::Directory));
    let State::Postgres(state) = parse(postgres).expect("a database").state else { panic!("PostgreSQL") };
    assert_eq!(state.schema.to_string(), "seatline");
    let config = parse(&format!("{postgres}[cluster]\nnode = 'a'\nlapse_after = 3")).expect("a node");
    assert_eq!(config.cluster, Cluster { node: Some("a".to_owned()), lapse_after: 3 });
    assert_eq!(parse(postgres).expect("a database").cluster, Cluster { node: None, lapse_after: 30 });
    for (rest, expected) in [
        ("[state]\nstore = 'sqlite'", "line 6: `state.store` must be \"directory\" or \"postgresql\""),
        ("[state]\nstore = 'postgresql'", "line 5: `state.database` is missing: the state in PostgreSQL needs one"),
        (
            "[state]\ndatabase = 'wiki.db'",
            "line 6: `state.database` must be one of PostgreSQL: the state is kept nowhere else",
        ),
        (
            "[state]\nstore = 'directory'\ndatabase = 'postgres://db/wiki'",
            "line 7: `state.database` is for `store = \"postgresql\"`",
        ),
        ("[state]\nschema = 'x'", "line 6: `state.schema` is for `store = \"postgresql\"`"),
        (
            "[state]\ndatabase = 'postgres://db/wiki'\nschema = 'a-b'",
            "line 7: `state.schema` is not valid: 1 to 63 characters of a-z 0-9 _ that start with a letter, and not with pg_",
        ),
        (
            "[state]\ndatabase = 'postgres://u:secret@db/wiki'",
            "line 6: `state.database` holds a password: put it into `password_file` or `password_env`",
        ),
        (
            "[cluster]\nnode = 'a'",
            "line 5: `cluster` is for nodes that share their state: set `store = \"postgresql\"` in [state]",
        ),
    ] {
        assert_eq!(problem(rest), expected);
    }
    let refused = |key: &str| problem(&format!("{postgres}[cluster]\n{key}"));
    assert_eq!(refused("lapse_after = 2"), "line 8: `cluster.lapse_after` must be from 3 to 3600");
    assert_eq!(refused("node = \"a\\nb\""), "line 8: `cluster.node` must be one line of at most 64 characters");
}

#[test]
fn a_dimension_uses_the_database_of_the_accounts_unless_it_has_its_own() {
    let accounts = "[accounts]\ndatabase = 'wiki.db'\nquery = 'select 1'\n";
    let config = parse(&format!("{accounts}[[dimension]]\nname = 'pages'\nquery = 'select 2'")).expect("shared");
    let NumberSource::Sql(sql) = &config.dimensions[0].source else { panic!("a query") };
    let Ok(database::Address::Sqlite(path)) = sql.database.address() else { panic!("SQLite") };
    assert_eq!(path, Path::new("/data/wiki.db"));
    assert_eq!(
        problem("[[dimension]]\nname = 'pages'\nquery = 'select 2'"),
        "line 5: `dimension.database` is missing: there is none in [accounts] either"
    );
}

#[test]
fn each_rule_is_named_with_its_line_and_key() {
    let cases = [
        ("nodes = []", "line 5: `product.nodes` must name 1 to 256 different nodes of at most 64 characters each"),
        (
            "nodes = ['a', 'a']",
            "line 5: `product.nodes` must name 1 to 256 different nodes of at most 64 characters each",
        ),
        (
            "released = 'soon'",
            "line 5: `product.released` must be a day such as \"2026-03-01\", or a time such as \"2026-03-01T12:00:00Z\"",
        ),
        ("[log]\nformat = 'xml'", "line 6: `log.format` must be \"text\" or \"json\""),
        ("[accounts]\nquery = 'q'", "line 5: `accounts.database` is missing"),
        ("[accounts]\ndatabase = 'x'", "line 5: `accounts.query` is missing"),
        (
            "[accounts]\ndatabase = 'postgres://u:hunter2@h/d'",
            "line 6: `accounts.database` holds a password: put it into `password_file` or `password_env`",
        ),
        (
            "[accounts]\ndatabase = 'x.db'\nquery = 'q'\npassword_file = 'p'",
            "line 8: `accounts.password_file` is for a server: a SQLite file has no password and no TLS",
        ),
        (
            "[accounts]\ndatabase = 'host=h sslmode=disable'\nquery = 'q'\ntls_ca_file = 'ca.pem'",
            "line 8: `accounts.tls_ca_file` has no effect on a connection without TLS (`sslmode=disable`, a socket): leave it out",
        ),
        (
            "[accounts]\ndatabase = 'x.db'\nquery = 'q'\ntime_limit = 0",
            "line 8: `accounts.time_limit` must be from 1 to 86400",
        ),
        (
            "[http]\nlisten = '8096'",
            "line 6: `http.listen` is not valid: an address is such as `127.0.0.1:8096`, `[::1]:8096` or \
             `unix:/run/seatline/api.sock`, or `off`",
        ),
        (
            "[http]\nlisten = '0.0.0.0:8096'",
            "line 6: `http.listen` listens beyond this machine, without encryption: let it listen on a loopback address \
             or a Unix socket, with a reverse proxy for HTTPS in front, or set `allow_remote = true` in [http]",
        ),
        ("[http]\nallow_remote = 'yes'", "line 6: `http.allow_remote` must be true or false, not a string"),
        (
            "[http]\npublic_url = 'https://example.org/seatline'",
            "line 6: `http.public_url` must have no path: the pages stand at the root of a host",
        ),
        (
            "[http]\npublic_url = 'http://example.org'",
            "line 6: `http.public_url` is no address to be reached at: the URL must begin with https:// (http:// is for \
             the loopback interface alone)",
        ),
        (
            "[http]\nhosts = ['wiki-host:80']",
            "line 6: `http.hosts` holds `wiki-host:80`, which is no host name (without a port)",
        ),
        (
            "[link]\nproxy = 'proxy:3128'",
            "line 6: `link.proxy` must be the URL of a proxy, such as http://proxy.example.org:3128",
        ),
        (
            "[link]\nproxy = 'http://wiki:hunter2@proxy:3128'",
            "line 6: `link.proxy` holds a user or a password: they have places of their own",
        ),
        (
            "[link]\nproxy = 'http://proxy:3128'\nproxy_user = 'wiki'",
            "line 5: `link.proxy_password_file` is missing: the user has a password",
        ),
        (
            "[link]\nproxy = 'http://proxy:3128'\nproxy_password_env = 'X'",
            "line 5: `link.proxy_user` is missing: a password belongs to somebody",
        ),
        (
            "[link]\nproxy = 'none'\nproxy_user = 'wiki'\nproxy_password_env = 'X'",
            "line 7: `link.proxy_user` signs in nowhere: `proxy` is \"none\"",
        ),
        (
            "[link]\nproxy_user = 'wiki'\nproxy_password_env = 'X'",
            "line 6: `link.proxy_user` needs a `proxy` beside it",
        ),
        ("[http]\nproxies = ['proxy']", "line 6: `http.proxies` holds `proxy`, which is no IP address"),
        (
            "[accounts]\nquery = 'q'\n[accounts.command]\nrun = ['x']",
            "line 6: `accounts.query` cannot stand beside `command`: there is one source",
        ),
        (
            "[accounts.command]\nrun = []",
            "line 6: `accounts.command.run` must name a program, and its arguments behind it: [\"list-accounts\", \"--json\"]",
        ),
        (
            "[accounts.command]\nrun = ['x']\nfields = { identity = 'a', active = { field = 'b', is = 'c', is_not = 'd' } }",
            "line 7: `accounts.command.fields.active.is_not` cannot stand beside another of is, is_not, present, bits, \
             without_bits",
        ),
        (
            "[accounts.command]\nrun = ['x']\nfields = { identity = 'a', active = { field = 'b', present = 3 } }",
            "line 7: `accounts.command.fields.active.present` must be true or false, not an integer",
        ),
        (
            "[accounts.command]\nrun = ['x']\nfields = { identity = 'a..b' }",
            "line 7: `accounts.command.fields.identity` must be a name such as \"email\" or \"profile.email\", or a JSON pointer \
             such as \"/profile/email\"",
        ),
        ("[accounts.command]\nrun = ['x']\nfields = {}", "line 7: `accounts.command.fields.identity` is missing"),
        ("[plugin]\nmemory = 3", "line 6: unknown key `plugin.memory`: did you mean `plugin.memory_mib`?"),
        (
            "[license]\nvendor_keys = ['k4.secret.x']",
            "line 6: `license.vendor_keys` holds what is no public key: this is not a k4.public key: it must start with \
             `k4.public.`",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(problem(text), expected);
    }
}

#[test]
fn a_password_in_the_configuration_is_not_repeated_in_its_refusal() {
    for text in ["postgres://u:hunter2@h/d", "host=h password=hunter2 prot=1", "password=hunter2"] {
        let problem = problem(&format!("[accounts]\nquery = 'q'\ndatabase = '{text}'"));
        assert!(!problem.contains("hunter2"), "{problem}");
    }
}

#[test]
fn g1_several_vendor_keys_are_trusted_at_once_from_text_and_file() {
    let dir = tempfile::tempdir().expect("a directory");
    let keys: Vec<PublicKey> =
        [1, 2].map(|seed| seatline_protocol::SecretKey::from_seed(&[seed; 32]).public()).to_vec();
    std::fs::write(dir.path().join("old.public"), format!("{}\n", keys[1])).expect("the key's file");
    let text = format!("{PRODUCT}[license]\nvendor_keys = ['{}', 'old.public']", keys[0]);
    let config = Config::parse(&text, dir.path()).expect("both keys");
    assert_eq!(config.license.vendor_keys, keys);
}
