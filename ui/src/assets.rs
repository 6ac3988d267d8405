//! The files that pages load: one stylesheet, htmx, a few lines of comfort, the mark.
//!
//! A file's address holds the digest of its bytes, so that a browser may keep it for ever: a changed file has another
//! address. Only the exact address is answered.

use std::sync::LazyLock;

use seatline_protocol::Digest;

/// The path under which a server serves the assets: `GET {PREFIX}{path}` is answered by [`asset`]`(path)`.
pub const PREFIX: &str = "/assets/";
/// The `Content-Security-Policy` header that every page holds to: nothing inline, nothing from another host.
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
     connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// The headers that every answer of a server of pages has: they tell a browser to trust nothing but this server.
pub const SECURITY_HEADERS: [(&str, &str); 6] = [
    ("content-security-policy", CONTENT_SECURITY_POLICY),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
];

/// A file that pages load.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asset {
    /// The contents.
    pub bytes: &'static [u8],
    content_type: &'static str,
    etag: String,
    path: String,
}

impl Asset {
    /// The headers of the answer: what it is, and that it may be kept for ever.
    pub fn headers(&self) -> [(&'static str, &str); 3] {
        let for_ever = "public, max-age=31536000, immutable";
        [("content-type", self.content_type), ("cache-control", for_ever), ("etag", &self.etag)]
    }
}

/// An asset by its path after [`PREFIX`], such as `0f3a…/seatline.css`, or none.
pub fn asset(path: &str) -> Option<&'static Asset> {
    ASSETS.iter().find(|asset| asset.path == path)
}

/// The address of the asset called `name`, such as `/assets/0f3a…/seatline.css`; of a name that is none, an address
/// that is answered by 404.
pub(crate) fn url(name: &str) -> String {
    let path = ASSETS.iter().map(|asset| asset.path.as_str()).find(|path| path.split('/').nth(1) == Some(name));
    format!("{PREFIX}{}", path.unwrap_or(name))
}

/// The stylesheet, in the order in which its parts build on each other.
pub(crate) const STYLESHEET: &str = concat!(
    include_str!("../assets/css/tokens.css"),
    include_str!("../assets/css/base.css"),
    include_str!("../assets/css/components.css"),
    include_str!("../assets/css/charts.css"),
    include_str!("../assets/css/pages.css"),
);

static ASSETS: LazyLock<[Asset; 4]> = LazyLock::new(|| {
    [
        hashed("seatline.css", "text/css; charset=utf-8", STYLESHEET.as_bytes()),
        hashed("seatline.js", "text/javascript; charset=utf-8", include_bytes!("../assets/seatline.js")),
        hashed("htmx.min.js", "text/javascript; charset=utf-8", include_bytes!("../assets/htmx.min.js")),
        hashed("mark.svg", "image/svg+xml", include_bytes!("../assets/mark.svg")),
    ]
});

fn hashed(name: &str, content_type: &'static str, bytes: &'static [u8]) -> Asset {
    let digest = Digest::of(bytes);
    let hex = digest.hex();
    Asset { bytes, content_type, etag: format!("\"{hex}\""), path: format!("{}/{name}", &hex[..16]) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_asset_is_answered_at_its_own_address_alone() {
        let address = url("seatline.css");
        let path = address.strip_prefix(PREFIX).expect("the address is under the prefix");
        assert_eq!(asset(path).map(|asset| asset.content_type), Some("text/css; charset=utf-8"));
        for other in ["seatline.css", "0000000000000000/seatline.css", "", "../src/lib.rs", &format!("{path}/")] {
            assert_eq!(asset(other), None, "{other}");
        }
    }

    #[test]
    fn htmx_is_the_file_that_its_package_published() {
        let vendored = include_str!("../assets/VENDORED.txt");
        let line = vendored.lines().find(|line| line.ends_with(" htmx.min.js")).expect("htmx is listed");
        let recorded = line.split(' ').nth(3).expect("its digest is the fourth word");
        assert_eq!(recorded, Digest::of(include_bytes!("../assets/htmx.min.js")).hex());
    }

    #[test]
    fn the_stylesheet_loads_nothing() {
        for forbidden in ["@import", "url(", "expression("] {
            assert!(!STYLESHEET.contains(forbidden), "{forbidden}");
        }
    }
}
