//! Somebody who has a keyboard alone.

use serde_json::Value;

use super::Chromium;

const TAB: &str = "\u{e004}";
const ENTER: &str = "\u{e007}";
/// More stops than any page has.
const MANY: usize = 120;

/// What the focus is on: what it is called, and whether one sees that it is there.
const FOCUS: &str = r#"
    const focus = document.activeElement;
    const isPage = focus === document.body;
    const label = isPage ? "" : focus.labels?.[0]?.innerText ?? focus.getAttribute("aria-label") ?? focus.innerText;
    const style = getComputedStyle(focus);
    const seen = (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0) || style.boxShadow !== "none";
    const isField = ["INPUT", "TEXTAREA", "SELECT"].includes(focus.tagName);
    return { name: label.trim(), seen: seen || isPage, isField };
"#;

impl Chromium {
    /// Presses Tab until the focus is on what is called `name`; every stop on the way must be one that is seen.
    ///
    /// # Panics
    /// When nothing that the keyboard reaches is called so.
    pub fn tab_to(&self, name: &str) {
        self.tab_until(name, |_| true);
    }

    /// The same with the field that has this label, and types into it.
    pub fn fill_in(&self, label: &str, what: &str) {
        self.tab_until(label, |focus| focus["isField"] == true);
        self.press(what);
    }

    fn tab_until(&self, name: &str, is_it: impl Fn(&Value) -> bool) {
        let mut stops = Vec::new();
        for _ in 0..MANY {
            self.press(TAB);
            let focus = self.run(FOCUS);
            let found = focus["name"].as_str().unwrap_or_default().to_owned();
            assert_eq!(focus["seen"], true, "the focus on `{found}` cannot be seen");
            if found == name && is_it(&focus) {
                return;
            }
            stops.push(found);
        }
        panic!("the keyboard does not reach `{name}` on {}: {stops:?}", self.address());
    }

    /// Presses Enter, and waits until the page that it leads to has this title.
    pub fn enter_to(&self, title: &str) {
        self.press(ENTER);
        crate::until(&format!("the page {title}"), || self.title().starts_with(title).then_some(()));
    }
}
