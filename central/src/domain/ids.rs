//! The random names of things. No serial number is ever shown, so nothing can be counted or guessed from outside.

pub use seatline_web::TokenHash;
use seatline_web::secret::hex;

/// Declares an id of 96 random bits, written as 24 hexadecimal digits.
macro_rules! random_id {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        seatline_protocol::checked_string!(
            $(#[$doc])*
            $name,
            $what,
            "24 hexadecimal digits in lower case",
            |text| text.len() == 24 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
        );

        impl $name {
            /// The id of 12 random bytes.
            pub fn from_random(random: [u8; 12]) -> Self {
                Self(hex(&random))
            }
        }
    };
}

random_id!(
    /// An application.
    ApplicationId,
    "an application id"
);
random_id!(
    /// An invite.
    InviteId,
    "an invite id"
);
random_id!(
    /// An API token; not its secret.
    TokenId,
    "a token id"
);
random_id!(
    /// A session; not its secret.
    SessionId,
    "a session id"
);
random_id!(
    /// An answer to a question of a chain.
    AnswerId,
    "an answer id"
);
random_id!(
    /// A channel that alerts go to.
    ChannelId,
    "a channel id"
);
random_id!(
    /// A message to a channel.
    MessageId,
    "a message id"
);
random_id!(
    /// A count of people.
    CountId,
    "the id of a count"
);
random_id!(
    /// An entry of the audit log.
    EntryId,
    "an entry id"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_survives_its_text_and_nothing_else_is_one() {
        let id = ApplicationId::from_random([0xab; 12]);
        assert_eq!(id.to_string().parse(), Ok(id));
        for bad in ["", "abab", "ABABABABABABABABABABABAB", "../../../../../etc/passwd", "abababababababababababa\n"] {
            assert!(bad.parse::<ApplicationId>().is_err(), "{bad}");
        }
    }
}
