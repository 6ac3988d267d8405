//! What every page must come up to: no violation that axe finds, nothing that runs out of a narrow screen, fields side by
//! side in one line, nothing loaded from elsewhere, no error in the console; in light and dark. A screenshot of each is
//! kept.

use std::fs;
use std::path::PathBuf;

use base64::Engine as _;
use serde_json::{Value, json};

use super::Chromium;

/// axe-core, as its package publishes it: see `VENDORED.txt` beside it.
const AXE: &str = include_str!("../../browser/axe.min.js");
/// Every rule of axe, and the one of WCAG 2.2 that it does not check by itself.
const RUN: &str = r#"
    const found = await axe.run(document, { resultTypes: ["violations"], rules: { "target-size": { enabled: true } } });
    return found.violations.map(({ id, help, nodes }) => ({ id, help, nodes: nodes.map(node => node.html) }));
"#;
/// The fields that stand beside another one, and whose control stands higher or lower than that one's.
const OUT_OF_LINE: &str = r#"
    const top = element => element.getBoundingClientRect().top;
    const fields = [...document.querySelectorAll(".fields-2 > .field")].filter(field => field.checkVisibility());
    const beside = (one, other) => one.parentElement === other.parentElement && Math.abs(top(one) - top(other)) < 1;
    const control = field => top(field.querySelector(".input"));
    return fields
        .filter(one => fields.some(other => beside(one, other) && Math.abs(control(one) - control(other)) >= 1))
        .map(field => field.querySelector("label").textContent);
"#;
const SCHEMES: [&str; 2] = ["light", "dark"];
/// A telephone and a laptop, in pixels.
const WIDTHS: [u32; 2] = [400, 1280];
/// Where the screenshots lie, below the target directory.
const SCREENSHOTS: &str = "screenshots";

/// Looks at the pages of one server.
#[derive(Debug)]
pub struct Look<'c> {
    chromium: &'c Chromium,
    origin: String,
    kept: PathBuf,
    problems: Vec<String>,
}

impl<'c> Look<'c> {
    /// Looks at the pages of `origin`. The screenshots go into a folder called `name`.
    pub fn at(chromium: &'c Chromium, origin: &str, name: &str) -> Self {
        let kept = crate::binaries().join("..").join(SCREENSHOTS).join(name);
        let _ = fs::remove_dir_all(&kept);
        fs::create_dir_all(&kept).expect("a folder for the screenshots");
        for kind in ["browser", "performance"] {
            chromium.log(kind);
        }
        Self { chromium, origin: origin.to_owned(), kept, problems: Vec::new() }
    }

    /// Those of `paths` that give a page: neither a file to keep, nor the way to another page.
    pub fn pages<'p>(&mut self, paths: impl Iterator<Item = &'p str>) -> Vec<&'p str> {
        paths.filter(|path| self.is_page(path)).collect()
    }

    fn is_page(&mut self, path: &str) -> bool {
        let asked = "const answer = await fetch(PATH, { redirect: 'manual' });
             return [answer.type, answer.status, answer.headers.get('content-type'), answer.headers.get('content-disposition')]";
        let answer = self.chromium.run_to_end(&asked.replace("PATH", &Value::from(path).to_string()));
        let is_file = answer[3].as_str().is_some_and(|disposition| disposition.starts_with("attachment"));
        if is_file || answer[0] == "opaqueredirect" {
            return false;
        }
        let is_page = answer[1] == 200 && answer[2].as_str().is_some_and(|kind| kind.starts_with("text/html"));
        if !is_page {
            self.problems.push(format!("{path}: it is neither a page nor a file: {answer}"));
        }
        is_page
    }

    /// Opens the page at `path`, and looks at it.
    pub fn open(&mut self, path: &str) {
        let name = path.trim_matches('/').replace('/', "-");
        self.open_as(path, if name.is_empty() { "start" } else { &name });
    }

    /// The same, where the path is not the same in every run.
    pub fn open_as(&mut self, path: &str, name: &str) {
        self.chromium.open(&format!("{}{path}", self.origin));
        self.page(name);
    }

    /// Looks at the page that is open. `name` is that of its screenshots.
    pub fn page(&mut self, name: &str) {
        self.chromium.run(AXE);
        for scheme in SCHEMES {
            // Without motion, or a colour would be looked at on its way to the other.
            let features = json!([
                { "name": "prefers-color-scheme", "value": scheme },
                { "name": "prefers-reduced-motion", "value": "reduce" },
            ]);
            self.chromium.devtools("Emulation.setEmulatedMedia", json!({ "features": features }));
            for width in WIDTHS {
                let size = json!({ "width": width, "height": 800, "deviceScaleFactor": 1, "mobile": false });
                self.chromium.devtools("Emulation.setDeviceMetricsOverride", size);
                self.screenshot(&format!("{name}-{scheme}-{width}"));
                let seen = format!("{name} ({scheme}, {width} pixels)");
                self.width(&seen, width);
                self.lines(&seen);
                self.axe(&seen);
            }
        }
        self.logs(name);
    }

    /// What was found until now.
    pub fn problems(&self) -> &[String] {
        &self.problems
    }

    /// The end of it.
    ///
    /// # Panics
    /// When anything at all was found.
    pub fn finish(self) {
        let pages = self.kept.display();
        assert!(self.problems.is_empty(), "{}\n(screenshots: {pages})", self.problems.join("\n"));
    }

    fn width(&mut self, seen: &str, width: u32) {
        let wide = self.chromium.run("return document.documentElement.scrollWidth").as_u64().expect("a number");
        if wide > u64::from(width) {
            self.problems.push(format!("{seen}: it is {wide} pixels wide, and scrolls sideways"));
        }
    }

    fn lines(&mut self, seen: &str) {
        let found = self.chromium.run(OUT_OF_LINE);
        if found != json!([]) {
            self.problems.push(format!("{seen}: these fields are out of line with those beside them: {found}"));
        }
    }

    fn axe(&mut self, seen: &str) {
        let found = self.chromium.run_to_end(RUN);
        let Value::Array(found) = found else { return self.problems.push(format!("{seen}: axe {found}")) };
        self.problems.extend(found.iter().map(|violation| format!("{seen}: {violation}")));
    }

    /// Nothing is loaded from another host, and nothing is wrong in the console.
    fn logs(&mut self, name: &str) {
        for entry in self.chromium.log("performance") {
            let event: Value =
                entry["message"].as_str().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
            let event = &event["message"];
            let url = event["params"]["request"]["url"].as_str().unwrap_or_default();
            // The browser's own first page has an address of its own kind.
            let is_of_network = url.starts_with("http") || url.starts_with("ws");
            if event["method"] == "Network.requestWillBeSent" && is_of_network && !url.starts_with(&self.origin) {
                self.problems.push(format!("{name}: it asks {url}"));
            }
        }
        for entry in self.chromium.log("browser") {
            let said = entry["message"].as_str().unwrap_or_default();
            // That a page was answered with an error is no defect of the page.
            if !said.contains("the server responded with a status of 4") {
                self.problems.push(format!("{name}: the console says {said}"));
            }
        }
    }

    fn screenshot(&self, name: &str) {
        let taken = self.chromium.devtools("Page.captureScreenshot", json!({ "captureBeyondViewport": true }));
        let png = taken["data"].as_str().expect("a picture");
        let png = base64::engine::general_purpose::STANDARD.decode(png).expect("base64");
        fs::write(self.kept.join(format!("{name}.png")), png).expect("the screenshot can be kept");
    }
}

#[cfg(test)]
mod tests {
    use seatline_protocol::Digest;

    #[test]
    fn axe_is_the_file_that_its_package_published() {
        let vendored = include_str!("../../browser/VENDORED.txt");
        let line = vendored.lines().find(|line| line.ends_with(" axe.min.js")).expect("axe is listed");
        assert_eq!(line.split(' ').nth(3).expect("its digest"), Digest::of(super::AXE.as_bytes()).hex());
    }
}
