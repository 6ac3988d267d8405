//! Rules that every page must hold to, checked on its HTML: for the tests of the programs that render pages.
//!
//! The parser knows only the plain HTML that our templates write: attributes in double quotes (single ones for JSON),
//! every element closed, `<` in text escaped. What is not so is itself a finding.

use std::collections::BTreeMap;

/// Elements without an end tag.
const VOID: [&str; 6] = ["meta", "link", "input", "br", "img", "hr"];

/// A start tag.
#[derive(Debug, Clone)]
struct Tag {
    name: String,
    attributes: BTreeMap<String, String>,
    /// The text up to the next tag.
    text: String,
}

impl Tag {
    fn get(&self, attribute: &str) -> Option<&str> {
        self.attributes.get(attribute).map(String::as_str)
    }
}

/// What is wrong with a whole page: for people who cannot see it, for the Content-Security-Policy, and as HTML. Empty
/// where nothing is.
pub fn findings(html: &str) -> Vec<String> {
    let mut findings = Vec::new();
    if !html.starts_with("<!DOCTYPE html>") {
        findings.push("it does not begin with <!DOCTYPE html>".to_owned());
    }
    let tags = tags(html, &mut findings);
    let all = |name: &'static str| tags.iter().filter(move |tag| tag.name == name);
    for once in ["html", "title", "h1", "main"] {
        if all(once).count() != 1 {
            findings.push(format!("it has {} <{once}>, and must have one", all(once).count()));
        }
    }
    if all("html").any(|tag| tag.get("lang").is_none()) || all("title").any(|tag| tag.text.trim().is_empty()) {
        findings.push("it needs a language and a title".to_owned());
    }
    policy(&tags, &mut findings);
    accessibility(&tags, &mut findings);
    findings
}

/// The rules of [`crate::CONTENT_SECURITY_POLICY`].
fn policy(tags: &[Tag], findings: &mut Vec<String>) {
    for tag in tags {
        let name = &tag.name;
        for (attribute, value) in &tag.attributes {
            let foreign = value.contains("//") && name != "a";
            match attribute.as_str() {
                "style" => findings.push(format!("<{name}> has an inline style: {value}")),
                "href" | "src" | "action" if value.trim_start().starts_with("javascript:") || foreign => {
                    findings.push(format!("<{name}> loads or leads to {value}"));
                }
                on if on.starts_with("on") || on.starts_with("hx-on") => {
                    findings.push(format!("<{name}> has an inline handler: {on}"));
                }
                _ => {}
            }
        }
        if name == "style" || (name == "script" && (tag.get("src").is_none() || !tag.text.trim().is_empty())) {
            findings.push(format!("<{name}> is inline"));
        }
    }
}

/// Labels, ids, headings of tables, words for drawings.
fn accessibility(tags: &[Tag], findings: &mut Vec<String>) {
    let ids: Vec<&str> = tags.iter().filter_map(|tag| tag.get("id")).collect();
    for (i, id) in ids.iter().enumerate() {
        if ids[..i].contains(id) {
            findings.push(format!("the id `{id}` is there twice"));
        }
    }
    let labelled: Vec<&str> = tags.iter().filter(|tag| tag.name == "label").filter_map(|tag| tag.get("for")).collect();
    for tag in tags {
        let name = tag.name.as_str();
        let named = tag.get("aria-label").is_some() || tag.get("aria-labelledby").is_some();
        let fine = match name {
            "input" | "select" | "textarea" => {
                named || tag.get("type") == Some("hidden") || tag.get("id").is_some_and(|id| labelled.contains(&id))
            }
            "svg" => tag.get("aria-hidden") == Some("true") || (tag.get("role") == Some("img") && named),
            "th" => tag.get("scope").is_some(),
            "img" => tag.get("alt").is_some(),
            "form" => matches!(tag.get("method"), Some("post" | "get")) && tag.get("action").is_some(),
            "nav" => named,
            _ => true,
        };
        if !fine {
            findings.push(format!("<{name}> lacks its label, scope, method or words: {:?}", tag.attributes));
        }
        let described = ["aria-describedby", "aria-labelledby"].into_iter().filter_map(|reference| tag.get(reference));
        for id in described.flat_map(str::split_whitespace).filter(|id| !ids.contains(id)) {
            findings.push(format!("<{name}> refers to `{id}`, which is not there"));
        }
    }
}

/// The start tags in order; end tags are held against them.
fn tags(html: &str, findings: &mut Vec<String>) -> Vec<Tag> {
    let mut tags = Vec::new();
    let mut open: Vec<String> = Vec::new();
    for piece in html.split('<').skip(1) {
        let Some((inside, text)) = split_tag(piece) else {
            findings.push(format!("a `<` begins no tag: {piece:.40}"));
            continue;
        };
        if let Some(ended) = inside.strip_prefix('/') {
            if open.pop().as_deref() != Some(ended) {
                findings.push(format!("</{ended}> ends what is not open"));
            }
            continue;
        }
        if inside.starts_with('!') {
            continue;
        }
        let closed = inside.ends_with('/');
        let (name, rest) = inside.trim_end_matches('/').split_once(char::is_whitespace).unwrap_or((inside, ""));
        let mut name = name.trim_end_matches('/').to_owned();
        let is_in_drawing = open.iter().any(|around| around == "svg");
        if !closed && !VOID.contains(&name.as_str()) {
            open.push(name.clone());
        }
        if is_in_drawing && name == "title" {
            // A drawing and its parts have titles of their own.
            name = "svg:title".to_owned();
        }
        tags.push(Tag { name, attributes: attributes(rest), text: text.to_owned() });
    }
    if !open.is_empty() {
        findings.push(format!("not ended: {open:?}"));
    }
    tags
}

/// What stands before the `>` that ends a tag, which is not one inside quotes, and the text behind it.
fn split_tag(piece: &str) -> Option<(&str, &str)> {
    let mut quote = None;
    for (at, c) in piece.char_indices() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(c),
            (None, '>') => return Some((&piece[..at], &piece[at + 1..])),
            (None, _) => {}
        }
    }
    None
}

fn attributes(mut rest: &str) -> BTreeMap<String, String> {
    let mut attributes = BTreeMap::new();
    loop {
        rest = rest.trim_start();
        let end = rest.find(|c: char| c == '=' || c.is_whitespace()).unwrap_or(rest.len());
        let (name, after) = rest.split_at(end);
        if name.is_empty() {
            return attributes;
        }
        let (value, after) = match after.strip_prefix('=').map(|after| (after.chars().next(), after)) {
            Some((Some(quote @ ('"' | '\'')), after)) => after[1..].split_once(quote).unwrap_or((&after[1..], "")),
            Some((_, after)) => after.split_once(char::is_whitespace).unwrap_or((after, "")),
            None => ("", after),
        };
        attributes.insert(name.to_ascii_lowercase(), value.to_owned());
        rest = after;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(body: &str) -> String {
        format!(
            r#"<!DOCTYPE html><html lang="en"><head><title>T</title></head><body><main><h1>T</h1>{body}</main></body></html>"#
        )
    }

    #[test]
    fn a_good_page_has_no_findings() {
        let body = r#"<form method="post" action="/x"><label for="a">A</label><input id="a" name="a" required></form>"#;
        assert_eq!(findings(&page(body)), Vec::<String>::new());
    }

    #[test]
    fn every_rule_finds_what_breaks_it() {
        let broken = [
            r#"<p style="color:red">x</p>"#,
            "<style>p{}</style>",
            "<script>alert(1)</script>",
            r#"<script src="https://elsewhere.example/x.js"></script>"#,
            r#"<a href="javascript:x">x</a>"#,
            r#"<p onclick="x">x</p>"#,
            r#"<input id="a" name="a">"#,
            r#"<p id="a">x</p><p id="a">x</p>"#,
            "<h1>again</h1>",
            "<p>not ended",
            "<table><tr><th>x</th></tr></table>",
            r#"<svg viewBox="0 0 1 1"></svg>"#,
            r#"<p aria-describedby="nothing">x</p>"#,
            r#"<form action="/x"></form>"#,
        ];
        for body in broken {
            assert!(!findings(&page(body)).is_empty(), "{body}");
        }
        assert!(!findings(&page("").replace(" lang=\"en\"", "")).is_empty());
    }
}
