//! Reading ASN.1 in the Basic Encoding Rules (X.690) with lengths that are known beforehand: LDAP and public keys need
//! no more of it.

/// `INTEGER`
pub const INTEGER: u8 = 0x02;
/// `BIT STRING`
pub const BIT_STRING: u8 = 0x03;
/// `SEQUENCE`
pub const SEQUENCE: u8 = 0x30;

/// Elements that stand behind each other.
#[derive(Debug, Clone, Copy)]
pub struct Elements<'b>(pub &'b [u8]);

/// One element: its tag, and what is in it.
pub type Element<'b> = (u8, &'b [u8]);

impl<'b> Elements<'b> {
    /// The next element; none at the end, and where there is none that is whole.
    pub fn next(&mut self) -> Option<Element<'b>> {
        let (head, length) = head(self.0)?;
        let content = self.0.get(head..)?.get(..length)?;
        let tag = self.0[0];
        self.0 = &self.0[head + length..];
        Some((tag, content))
    }

    /// What is in the next element, if it has this `tag`.
    pub fn expect(&mut self, tag: u8) -> Option<&'b [u8]> {
        let before = *self;
        match self.next() {
            Some((found, content)) if found == tag => Some(content),
            _ => {
                *self = before;
                None
            }
        }
    }

    /// What is in the next element, a `SEQUENCE`.
    pub fn sequence(&mut self) -> Option<Self> {
        self.expect(SEQUENCE).map(Elements)
    }
}

/// How many bytes tag and length of the first element take, and how many the rest; none where there are too few bytes
/// to tell, or the length is one that nobody needs.
pub fn head(bytes: &[u8]) -> Option<(usize, usize)> {
    match *bytes.get(1)? {
        short @ ..0x80 => Some((2, usize::from(short))),
        form => {
            let digits = bytes.get(2..)?.get(..usize::from(form & 0x7F))?;
            let length = digits.iter().fold(0_u64, |length, digit| length << 8 | u64::from(*digit));
            let is_known = (1..=4).contains(&digits.len());
            is_known.then(|| usize::try_from(length).ok()).flatten().map(|length| (2 + digits.len(), length))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_read_in_every_form_of_a_length_and_never_beyond_the_end() {
        let mut elements = Elements(&[0x30, 3, 2, 1, 7, 0x04, 0x81, 2, b'a', b'b', 0x02, 0x82, 0, 1, 5]);
        assert_eq!(elements.sequence().and_then(|mut inner| inner.expect(INTEGER)), Some(&[7][..]));
        assert_eq!(elements.expect(INTEGER), None, "another tag is left where it is");
        assert_eq!(elements.expect(0x04), Some(&b"ab"[..]));
        assert_eq!(elements.expect(INTEGER), Some(&[5][..]));
        assert_eq!(elements.next(), None);
        for wrong in [
            &[][..],
            &[4],
            &[4, 2, 0],
            &[4, 0x80],
            &[4, 0x81],
            &[4, 0x85, 0, 0, 0, 0, 0],
            &[4, 0x84, 255, 255, 255, 255],
        ] {
            assert_eq!(Elements(wrong).next(), None, "{wrong:?}");
        }
    }
}
