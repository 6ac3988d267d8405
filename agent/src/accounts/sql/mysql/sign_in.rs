//! Beginning a conversation: the greeting, TLS, and the ways of proving who one is.
//!
//! A password is sent as it is only where nobody can read along ([`Wire::is_private`]); by a connection in clear, which
//! is one to this machine unless the address says otherwise, it is sent as a proof, or encrypted for the server's key.
//!
//! [`Wire::is_private`]: crate::accounts::wire::Wire::is_private

use ring::digest::{Algorithm, SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use zeroize::Zeroizing;

use super::packet::{Fields, Packets, Trouble};
use super::rsa;
use crate::config::database::MysqlAddress;

/// What the client can do, as bits of `HandshakeResponse41`. Two things that a server could ask for are missing on
/// purpose: files of this machine (`LOCAL INFILE`), and several statements in one.
mod capability {
    pub const LONG_PASSWORD: u32 = 1;
    pub const LONG_FLAG: u32 = 1 << 2;
    pub const CONNECT_WITH_DB: u32 = 1 << 3;
    pub const PROTOCOL_41: u32 = 1 << 9;
    pub const SSL: u32 = 1 << 11;
    pub const TRANSACTIONS: u32 = 1 << 13;
    pub const SECURE_CONNECTION: u32 = 1 << 15;
    pub const PLUGIN_AUTH: u32 = 1 << 19;
    pub const PLUGIN_AUTH_LENENC: u32 = 1 << 21;
    pub const OURS: u32 = LONG_PASSWORD
        | LONG_FLAG
        | CONNECT_WITH_DB
        | PROTOCOL_41
        | TRANSACTIONS
        | SECURE_CONNECTION
        | PLUGIN_AUTH
        | PLUGIN_AUTH_LENENC;
}

/// `utf8mb4_general_ci`, which MySQL since 5.5.3 and every MariaDB know.
const UTF8MB4: u8 = 45;
/// The bytes of the server's challenge.
const CHALLENGE_BYTES: usize = 20;
/// How often a server may ask for another proof: it needs one or two.
const MAX_ROUNDS: usize = 8;

/// What the server says first.
pub struct Greeting {
    /// Its version, which tells MariaDB from MySQL.
    pub version: String,
    challenge: [u8; CHALLENGE_BYTES],
    plugin: String,
    has_tls: bool,
}

/// Reads the greeting, `Protocol::HandshakeV10`.
pub fn greeting(packets: &mut Packets) -> Result<Greeting, Trouble> {
    parse_greeting(packets.read()?).ok_or(Trouble::Garbage)
}

fn parse_greeting(payload: &[u8]) -> Option<Greeting> {
    let mut fields = Fields(payload);
    (fields.u8()? == 10).then_some(())?;
    let version = String::from_utf8_lossy(fields.until_zero()?).into_owned();
    fields.take(4)?;
    let mut challenge = [0; CHALLENGE_BYTES];
    challenge[..8].copy_from_slice(fields.take(8)?);
    fields.take(1)?;
    let low = fields.u16()?;
    fields.take(3)?;
    let capabilities = u32::from(low) | u32::from(fields.u16()?) << 16;
    fields.take(11)?;
    challenge[8..].copy_from_slice(fields.take(CHALLENGE_BYTES - 8)?);
    fields.take(1)?;
    let plugin = if capabilities & capability::PLUGIN_AUTH != 0 {
        // Old servers leave the zero behind the name out.
        let name = fields.0.split(|byte| *byte == 0).next()?;
        String::from_utf8_lossy(name).into_owned()
    } else {
        "mysql_native_password".to_owned()
    };
    let needed = capability::PROTOCOL_41 | capability::SECURE_CONNECTION;
    (capabilities & needed == needed).then_some(())?;
    Some(Greeting { version, challenge, plugin, has_tls: capabilities & capability::SSL != 0 })
}

impl Greeting {
    /// Asks for TLS.
    ///
    /// # Errors
    /// When the server has none, or sent more than it should have before.
    pub fn ask_for_tls(&self, packets: &mut Packets) -> Result<(), Trouble> {
        if !self.has_tls {
            return Err(Trouble::SignIn("the server does not support TLS".to_owned()));
        }
        let request = head(capability::OURS | capability::SSL);
        packets.write(&request)?;
        if packets.has_unread() { Err(Trouble::Garbage) } else { Ok(()) }
    }

    /// Signs in.
    ///
    /// # Errors
    /// [`Trouble::Refused`] when user or password are wrong; [`Trouble::SignIn`] when the server asks for a way that is
    /// not to be had here.
    pub fn sign_in(&self, packets: &mut Packets, address: &MysqlAddress) -> Result<(), Trouble> {
        let is_private = packets.wire().is_private();
        let flags = if packets.wire().is_tls() { capability::SSL } else { 0 };
        let mut proof = Proof { plugin: self.plugin.clone(), challenge: self.challenge, password: &address.password };
        let mut response = Zeroizing::new(head(capability::OURS | flags));
        response.extend(address.user.bytes().chain([0]));
        // An unknown way is answered with nothing: the server then asks for the user's own.
        let first = proof.first(is_private).unwrap_or_default();
        response.push(u8::try_from(first.len()).map_err(|_| Trouble::TooLarge)?);
        response.extend(first.iter());
        response.extend(address.database.bytes().chain([0]));
        response.extend(self.plugin.bytes().chain([0]));
        packets.write(&response)?;
        for _ in 0..MAX_ROUNDS {
            let payload = packets.read()?;
            match payload[0] {
                0x00 => return Ok(()),
                0xFE => {
                    proof.switch(payload).ok_or(Trouble::Garbage)?;
                    let first = proof.first(is_private)?;
                    packets.write(&first)?;
                }
                0x01 => match payload.get(1..).unwrap_or_default() {
                    // The server remembers the password, and the proof was right.
                    [3] => {}
                    [4] if is_private => {
                        let whole = proof.in_clear();
                        packets.write(&whole)?;
                    }
                    [4] => packets.write(&[2])?,
                    key => {
                        let encrypted = proof.encrypted(key)?;
                        packets.write(&encrypted)?;
                    }
                },
                _ => return Err(Trouble::Garbage),
            }
        }
        Err(Trouble::Garbage)
    }
}

/// What `SSLRequest` is, and how `HandshakeResponse41` begins.
fn head(capabilities: u32) -> Vec<u8> {
    let mut head = Vec::with_capacity(128);
    head.extend(capabilities.to_le_bytes());
    head.extend((1_u32 << 24).to_le_bytes());
    head.push(UTF8MB4);
    head.extend([0; 23]);
    head
}

/// How the password is proven.
struct Proof<'a> {
    plugin: String,
    challenge: [u8; CHALLENGE_BYTES],
    password: &'a str,
}

impl Proof<'_> {
    /// Takes the way and the challenge that the server asks for in `AuthSwitchRequest`.
    fn switch(&mut self, payload: &[u8]) -> Option<()> {
        let mut fields = Fields(payload.get(1..)?);
        self.plugin = String::from_utf8_lossy(fields.until_zero()?).into_owned();
        // Ways without a challenge send none.
        if let Some(challenge) = fields.take(CHALLENGE_BYTES) {
            self.challenge.copy_from_slice(challenge);
        }
        Some(())
    }

    /// What the server is told first.
    fn first(&self, is_private: bool) -> Result<Zeroizing<Vec<u8>>, Trouble> {
        if self.password.is_empty() {
            return Ok(Zeroizing::default());
        }
        let challenge = &self.challenge[..];
        match self.plugin.as_str() {
            "mysql_native_password" => {
                let once = hash(&SHA1_FOR_LEGACY_USE_ONLY, &[self.password.as_bytes()]);
                let twice = hash(&SHA1_FOR_LEGACY_USE_ONLY, &[&once]);
                Ok(masked(&once, &hash(&SHA1_FOR_LEGACY_USE_ONLY, &[challenge, &twice])))
            }
            "caching_sha2_password" => {
                let once = hash(&SHA256, &[self.password.as_bytes()]);
                let twice = hash(&SHA256, &[&once]);
                Ok(masked(&once, &hash(&SHA256, &[&twice, challenge])))
            }
            "sha256_password" | "mysql_clear_password" if is_private => Ok(self.in_clear()),
            "sha256_password" => Ok(Zeroizing::new(vec![1])),
            "mysql_clear_password" => {
                Err(Trouble::SignIn("the server asks for the password in clear, which it gets by TLS alone".to_owned()))
            }
            other => Err(Trouble::SignIn(format!(
                "the server asks for `{other}` to sign in; make a user for Seatline that signs in with \
                 caching_sha2_password, mysql_native_password or, by TLS, mysql_clear_password"
            ))),
        }
    }

    /// The password with a zero behind it.
    fn in_clear(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(self.password.bytes().chain([0]).collect())
    }

    /// The password for the owner of the server's public `key` alone, which is PEM.
    fn encrypted(&self, key: &[u8]) -> Result<Zeroizing<Vec<u8>>, Trouble> {
        if !matches!(self.plugin.as_str(), "caching_sha2_password" | "sha256_password") {
            return Err(Trouble::Garbage);
        }
        let key = rsa::PublicKey::from_pem(key).ok_or(Trouble::Garbage)?;
        let challenge = self.challenge.iter().cycle();
        let message: Zeroizing<Vec<u8>> =
            Zeroizing::new(self.in_clear().iter().zip(challenge).map(|(byte, mask)| byte ^ mask).collect());
        key.encrypt(&message).map(Zeroizing::new).ok_or(Trouble::TooLarge)
    }
}

fn hash(algorithm: &'static Algorithm, parts: &[&[u8]]) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(digest(algorithm, &Zeroizing::new(parts.concat())).as_ref().to_vec())
}

fn masked(bytes: &[u8], mask: &[u8]) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(bytes.iter().zip(mask).map(|(byte, mask)| byte ^ mask).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_greeting_that_is_cut_off_or_of_another_protocol_is_none() {
        let mut whole = b"\x0a10.11.6-MariaDB\0\x01\0\0\0abcdefgh\0".to_vec();
        whole.extend([0xFF, 0xF7, 45, 2, 0, 0xFF, 0x81, 21]);
        whole.extend([0; 10]);
        whole.extend(b"ijklmnopqrst\0mysql_native_password\0");
        let greeting = parse_greeting(&whole).expect("whole");
        assert_eq!(greeting.version, "10.11.6-MariaDB");
        assert_eq!((&greeting.challenge, greeting.plugin.as_str()), (b"abcdefghijklmnopqrst", "mysql_native_password"));
        for end in 0..whole.len() - "mysql_native_password\0".len() {
            assert!(parse_greeting(&whole[..end]).is_none(), "{end}");
        }
        whole[0] = 9;
        assert!(parse_greeting(&whole).is_none());
    }

    /// The values were computed with Python's hashlib from the definitions in the MySQL manual.
    #[test]
    fn a_password_is_proven_as_the_manual_of_the_server_defines() {
        let proof = |plugin: &str| Proof {
            plugin: plugin.to_owned(),
            challenge: *b"abcdefghijklmnopqrst",
            password: "hunter2",
        };
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let first = |plugin: &str| proof(plugin).first(false).map(|bytes| hex(&bytes)).expect("a proof");
        assert_eq!(first("mysql_native_password"), NATIVE);
        assert_eq!(first("caching_sha2_password"), CACHING_SHA2);
        proof("mysql_clear_password").first(false).expect_err("in clear");
        proof("dialog").first(true).expect_err("unknown");
        assert_eq!(*proof("mysql_clear_password").first(true).expect("private"), b"hunter2\0");
    }

    const NATIVE: &str = "fb30830c3ec1c2161c75ef8c45977d684a38d8d4";
    const CACHING_SHA2: &str = "38c32b38723affcda57b368b565bac628d5a852428b402c25c4ae036a4fd904f";
}
