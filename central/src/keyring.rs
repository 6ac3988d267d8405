//! The server's secrets: its sealing key and the fleet's key for pseudonyms, in files of mode 0600.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use seatline_protocol::pairing::Secret;
use seatline_protocol::{KeyError, SecretKey};
use seatline_web::secret::random_secret;
use zeroize::Zeroizing;

use crate::private_file;

/// The file of the sealing key, a PASERK secret key.
pub const KEY_FILE: &str = "central.key";
/// The file of the pseudonym key: 32 bytes in base64url.
pub const PSEUDONYM_FILE: &str = "pseudonym.key";
/// The most bytes of a key file: more is not one.
const MAX_KEY_BYTES: u64 = 1024;

/// The secrets of a central server. They never show themselves in `Debug`.
#[derive(Debug, Clone)]
pub struct Keyring {
    secret: SecretKey,
    pseudonym: Secret,
}

/// Why the secrets cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum KeyringError {
    /// A file cannot be read or written.
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        #[source]
        source: io::Error,
    },
    /// The sealing key is none.
    #[error("{path} does not hold the central server's key: {source}")]
    Key {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: KeyError,
    },
    /// The pseudonym key is none.
    #[error("{path} does not hold the pseudonym key, the base64url of 32 bytes: put the file back from a backup")]
    Pseudonym {
        /// The file.
        path: PathBuf,
    },
    /// Others than the owner can read a key.
    #[error("{path} can be read by others: make it private with `chmod 600`")]
    Exposed {
        /// The file.
        path: PathBuf,
    },
    /// The operating system has no randomness to give.
    #[error("the operating system gives no randomness: {0}")]
    Random(#[from] getrandom::Error),
}

impl KeyringError {
    /// A stable code for machines.
    pub fn code(&self) -> &'static str {
        match self {
            Self::File { .. } => "key-file",
            Self::Key { .. } => "key-damaged",
            Self::Pseudonym { .. } => "pseudonym-key-damaged",
            Self::Exposed { .. } => "key-exposed",
            Self::Random(_) => "no-randomness",
        }
    }
}

impl Keyring {
    /// The secrets in `dir`; those that are not there are made. Several programs may do so at the same moment: one of
    /// them makes a file, and all of them read it.
    ///
    /// # Errors
    /// See [`KeyringError`].
    pub fn open(dir: &Path) -> Result<Self, KeyringError> {
        let path = dir.join(KEY_FILE);
        let text = read_or_make(dir, KEY_FILE, || Ok(SecretKey::generate()?.to_paserk()))?;
        let secret = text.trim().parse().map_err(|source| KeyringError::Key { path, source })?;
        let path = dir.join(PSEUDONYM_FILE);
        let text = read_or_make(dir, PSEUDONYM_FILE, random_secret)?;
        let bytes = Zeroizing::new(BASE64.decode(text.trim()).unwrap_or_default());
        let bytes = <[u8; 32]>::try_from(bytes.as_slice()).map_err(|_| KeyringError::Pseudonym { path })?;
        let pseudonym = Secret::from_bytes(bytes);
        Ok(Self { secret, pseudonym })
    }

    /// The secrets of these keys.
    pub fn new(secret: SecretKey, pseudonym: Secret) -> Self {
        Self { secret, pseudonym }
    }

    /// The key that seals invites, welcomes, receipts and settings.
    pub fn secret(&self) -> &SecretKey {
        &self.secret
    }

    /// The fleet's key for pseudonyms.
    pub fn pseudonym(&self) -> &Secret {
        &self.pseudonym
    }
}

/// The text of the key file `name` in `dir`, which is made by `make` where it is missing: written whole and synced
/// under another name first, then linked to its own, which fails where another program was faster.
fn read_or_make(
    dir: &Path,
    name: &str,
    make: impl FnOnce() -> Result<Zeroizing<String>, getrandom::Error>,
) -> Result<Zeroizing<String>, KeyringError> {
    let path = dir.join(name);
    let failed = |source| KeyringError::File { path: path.clone(), source };
    if !path.try_exists().map_err(failed)? {
        let line = Zeroizing::new([make()?.as_bytes(), b"\n"].concat());
        let draft = private_file::draft(&path, &line).map_err(failed)?;
        let made = match fs::hard_link(&draft, &path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            other => other,
        };
        let removed = fs::remove_file(&draft);
        made.and(removed).and_then(|()| private_file::sync_directory(&path)).map_err(failed)?;
    }
    let file = fs::metadata(&path).map_err(failed)?;
    if file.permissions().mode() & 0o077 != 0 {
        return Err(KeyringError::Exposed { path });
    }
    if file.len() > MAX_KEY_BYTES {
        return Err(failed(io::Error::new(io::ErrorKind::InvalidData, "it is too long to be a key")));
    }
    fs::read_to_string(&path).map(Zeroizing::new).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_made_once_and_are_private() {
        let dir = tempfile::tempdir().expect("a directory");
        let first = Keyring::open(dir.path()).expect("made");
        let again = Keyring::open(dir.path()).expect("read");
        assert_eq!(first.secret().public(), again.secret().public());
        assert_eq!(first.pseudonym(), again.pseudonym());
        let mode = fs::metadata(dir.path().join(KEY_FILE)).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(fs::read_dir(dir.path()).expect("a directory").count(), 2, "no draft stays behind");
    }

    #[test]
    fn a_key_that_others_can_read_is_refused() {
        let dir = tempfile::tempdir().expect("a directory");
        Keyring::open(dir.path()).expect("made");
        fs::set_permissions(dir.path().join(KEY_FILE), fs::Permissions::from_mode(0o644)).expect("changed");
        assert_eq!(Keyring::open(dir.path()).expect_err("exposed").code(), "key-exposed");
    }

    #[test]
    fn what_is_no_key_is_refused_with_its_file_and_without_what_is_in_it() {
        let long = "k".repeat(1025);
        for (file, held, code) in [
            (KEY_FILE, "k4.secret.hunter2", "key-damaged"),
            (KEY_FILE, "", "key-damaged"),
            (KEY_FILE, &long, "key-file"),
            (PSEUDONYM_FILE, "hunter2", "pseudonym-key-damaged"),
            (PSEUDONYM_FILE, &long, "key-file"),
        ] {
            let dir = tempfile::tempdir().expect("a directory");
            Keyring::open(dir.path()).expect("made");
            fs::write(dir.path().join(file), held).expect("damaged");
            let error = Keyring::open(dir.path()).expect_err("no key");
            let said = error.to_string();
            assert_eq!(error.code(), code, "{said}");
            assert!(said.contains(file) && !said.contains("hunter2") && !said.contains("kkkk"), "{said}");
            assert_eq!(fs::read_to_string(dir.path().join(file)).expect("it stays"), held);
        }
    }
}
