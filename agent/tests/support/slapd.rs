//! A real OpenLDAP server of a test's own, in a temporary directory.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::server::{Guarded, free_port};

/// A running server with the tree `dc=example,dc=org`, whose `cn=admin` has the password `hunter2`. Nobody else may
/// read.
pub struct Slapd {
    _guard: Guarded,
    dir: PathBuf,
    /// The port of ldap://, on 127.0.0.1.
    pub port: u16,
    /// The port of ldaps://.
    pub tls_port: u16,
}

const CONFIG: &str = "
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
attributetype ( 1.2.840.113556.1.4.8 NAME 'userAccountControl' SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 SINGLE-VALUE )
attributetype ( 1.2.840.113556.1.4.1696 NAME 'lastLogonTimestamp' SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 SINGLE-VALUE )
attributetype ( 1.2.840.113556.1.4.221 NAME 'sAMAccountName' SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 SINGLE-VALUE )
attributetype ( 1.2.840.113556.1.4.656 NAME 'userPrincipalName' SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 SINGLE-VALUE )
attributetype ( 1.2.840.113556.1.4.782 NAME 'objectCategory' EQUALITY caseIgnoreMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 SINGLE-VALUE )
objectclass ( 1.2.840.113556.1.5.9 NAME 'user' SUP inetOrgPerson STRUCTURAL
  MAY ( userAccountControl $ lastLogonTimestamp $ sAMAccountName $ userPrincipalName $ objectCategory ) )
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload memberof
moduleload lastbind
database mdb
maxsize 268435456
suffix dc=example,dc=org
rootdn cn=admin,dc=example,dc=org
rootpw hunter2
overlay memberof
overlay lastbind
access to dn.base=dc=example,dc=org by * read
access to * by anonymous auth by users read
limits dn.exact=uid=limited,ou=readers,dc=example,dc=org size=3 size.prtotal=3
";

const TREE: &str = "dn: dc=example,dc=org
objectClass: domain
dc: example

dn: ou=people,dc=example,dc=org
objectClass: organizationalUnit
ou: people

";

impl Slapd {
    /// Starts a server with the entries of `ldif` besides the two of the tree, `ou=people` below the top.
    ///
    /// # Panics
    /// When OpenLDAP is not installed, with what to do.
    pub fn start(ldif: &str) -> Self {
        Self::start_with(ldif, None)
    }

    /// The same with the certificate in `certificates`.
    pub fn start_with(ldif: &str, certificates: Option<&Path>) -> Self {
        let dir = tempfile::Builder::new().prefix("ldap").tempdir_in("/tmp").expect("a short path").keep();
        std::fs::create_dir(dir.join("data")).expect("a directory");
        let (head, database) = CONFIG.split_once("database mdb").expect("the database");
        let tls = certificates.map_or_else(String::new, |certificates| {
            let file = |name: &str| certificates.join(name).display().to_string();
            format!("TLSCertificateFile {}\nTLSCertificateKeyFile {}\n", file("server.pem"), file("server.key"))
        });
        let data = format!("directory {}", dir.join("data").display());
        let config = format!("{head}{tls}database mdb\n{data}{database}");
        std::fs::write(dir.join("slapd.conf"), config).expect("the configuration");
        std::fs::write(dir.join("tree.ldif"), format!("{TREE}{ldif}")).expect("the tree");
        let mut load = Command::new("/usr/sbin/slapadd");
        load.arg("-q").arg("-f").arg(dir.join("slapd.conf")).arg("-l").arg(dir.join("tree.ldif"));
        let load = load.output().expect("OpenLDAP is needed for this test: install Debian's package `slapd`");
        assert!(load.status.success(), "slapadd: {}", String::from_utf8_lossy(&load.stderr));

        let (port, tls_port) = (free_port(), free_port());
        let socket = dir.join("socket");
        let escaped = socket.display().to_string().replace('/', "%2F");
        let mut urls = format!("ldap://127.0.0.1:{port} ldapi://{escaped}");
        if certificates.is_some() {
            urls.push_str(&format!(" ldaps://127.0.0.1:{tls_port}"));
        }
        let mut server = Command::new("/usr/sbin/slapd");
        server.arg("-f").arg(dir.join("slapd.conf")).args(["-h", &urls, "-d", "0"]);
        let mut guard = Guarded::start(&dir, &server);
        guard.wait(&dir, || std::os::unix::net::UnixStream::connect(&socket).is_ok());
        Self { _guard: guard, dir, port, tls_port }
    }

    /// The URL of its socket.
    pub fn socket(&self) -> String {
        format!("ldapi://{}", self.dir.join("socket").display().to_string().replace('/', "%2F"))
    }

    /// The URL of its port.
    pub fn url(&self) -> String {
        format!("ldap://127.0.0.1:{}", self.port)
    }
}
