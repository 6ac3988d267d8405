//! Why a document was refused, as codes, and what becomes of it.

/// What becomes of a document that was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It may be taken another time, as it is: it is sent again, and so is what comes after it. Fewer than
    /// [`MAX_REPORTS`](super::MAX_REPORTS) reports hold up no others.
    Again,
    /// It is never taken, and what comes after it may be. A refusal is not sealed, so it is let go where something that
    /// is sealed, or the proven time, says the same.
    LetGo,
    /// Nothing is taken any more of what it belongs to, an invite or a link: it waits until somebody has made the link
    /// anew.
    Ended,
}

/// Declares each code once: its name in documents, and what becomes of the document.
macro_rules! codes {
    ($($(#[$doc:meta])* $code:ident, $name:literal, $fate:ident;)*) => {
        /// The codes of refusals that are about links and chains.
        ///
        /// A refused seal has the code of its [`crate::OpenError`], and what it sealed goes again ([`Fate::Again`]):
        /// it may have been garbled on its way, or be of a newer version than the central server, which takes it once
        /// it is updated; and nothing that is sealed says that it never will. Where a key is being rotated no seal is
        /// refused: until the central server has taken the rotation it knows no link of the new key
        /// ([`Self::LinkUnknown`]), and those of the old key hold before and after.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum RefusalCode {
            $($(#[$doc])* $code,)*
        }

        impl RefusalCode {
            /// Every code.
            pub const ALL: &[Self] = &[$(Self::$code,)*];

            /// The code as it stands in documents.
            pub fn name(self) -> &'static str {
                match self { $(Self::$code => $name,)* }
            }

            /// What becomes of a document that was refused with it.
            pub fn fate(self) -> Fate {
                match self { $(Self::$code => Fate::$fate,)* }
            }
        }
    };
}

codes! {
    /// The invite is unknown, was withdrawn, or was used by another product.
    InviteUnknown, "invite-unknown", Ended;
    /// The invite's thirty minutes are over.
    InviteExpired, "invite-expired", Ended;
    /// The link is unknown here.
    LinkUnknown, "link-unknown", Ended;
    /// The link was suspended at the central server.
    LinkSuspended, "link-suspended", Again;
    /// The link was removed at the central server. The answer also holds a [`crate::Removal`].
    LinkRemoved, "link-removed", Ended;
    /// The key was replaced by another one, and seals nothing new: a copy of the instance still has it.
    KeyReplaced, "key-replaced", Ended;
    /// The new key of a rotation already belongs to a link.
    KeyInUse, "key-in-use", Ended;
    /// The link waits for approval.
    LinkPending, "link-pending", Again;
    /// Another report with this sequence number is stored: two copies of one instance report.
    Fork, "fork", Ended;
    /// The report does not follow the one before it.
    BrokenChain, "broken-chain", Ended;
    /// The report that this one repeats is not stored here: it is to be sent again, before this one.
    RepeatUnknown, "repeat-unknown", Again;
    /// The report was observed in the future, beyond what clocks may differ.
    FutureReport, "future-report", LetGo;
    /// The report says that it was made before its link was, beyond what clocks may differ. The answer also holds a
    /// [`crate::Welcome`], which says from when on reports are taken.
    PastReport, "past-report", LetGo;
    /// The link has brought more than it may within a day: the report is taken when there is room again.
    OverQuota, "over-quota", Again;
    /// The key of the link was replaced as often as it may be within a day: the rotation is taken when a day has
    /// passed.
    TooManyKeys, "too-many-keys", Again;
    /// More documents of one product have come from one address than any product sends: they are taken a little later.
    TooManyDocuments, "too-many-documents", Again;
    /// The product's clock and the central server's differ by more than is tolerated.
    WrongClock, "wrong-clock", Again;
    /// The request is larger than is allowed.
    TooLarge, "too-large", Again;
    /// The request is not the JSON of an exchange.
    Malformed, "malformed", Again;
    /// The server cannot answer now.
    Unavailable, "unavailable", Again;
}

impl RefusalCode {
    /// The code of a name; none where this version knows it not.
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_code_has_a_name_of_its_own_and_says_what_becomes_of_the_document() {
        for code in RefusalCode::ALL {
            assert_eq!(RefusalCode::of(code.name()), Some(*code), "its name is its own");
            assert!(code.name().bytes().all(|b| b.is_ascii_lowercase() || b == b'-'), "{}", code.name());
        }
        let of = |fate: Fate| {
            let codes = RefusalCode::ALL.iter().filter(|code| code.fate() == fate);
            codes.map(|code| code.name()).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(of(Fate::LetGo), "future-report past-report");
        assert_eq!(
            of(Fate::Ended),
            "invite-unknown invite-expired link-unknown link-removed key-replaced key-in-use fork broken-chain"
        );
        assert_eq!(
            of(Fate::Again),
            "link-suspended link-pending repeat-unknown over-quota too-many-keys too-many-documents wrong-clock too-large \
             malformed unavailable"
        );
        assert_eq!(RefusalCode::of("bad-signature"), None);
    }
}
