//! The documentation: every link between its pages leads to something that is there, and the architecture names every
//! room.

use std::fs;
use std::path::{Path, PathBuf};

/// A page, and the links that stand on it.
struct Page {
    path: PathBuf,
    text: String,
}

impl Page {
    fn read(path: PathBuf) -> Self {
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Self { path, text }
    }

    /// The targets of its links within the repository.
    fn links(&self) -> impl Iterator<Item = &str> {
        let targets = self.text.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(target, _)| target);
        targets.filter(|target| !target.contains("://"))
    }

    /// The names by which its headings are linked to.
    fn anchors(&self) -> Vec<String> {
        let headings = self.text.lines().filter(|line| line.starts_with('#'));
        headings.map(|line| anchor(line.trim_start_matches('#').trim())).collect()
    }

    /// What is wrong with `link` of this page.
    fn problem(&self, link: &str) -> Option<String> {
        let (path, heading) = link.split_once('#').unwrap_or((link, ""));
        let folder = self.path.parent().expect("a page lies in a folder");
        let target = if path.is_empty() { self.path.clone() } else { folder.join(path) };
        let wrong = match (target.exists(), heading) {
            (false, _) => "leads to nothing",
            (true, heading) if !heading.is_empty() && !Page::read(target).anchors().contains(&heading.to_owned()) => {
                "names a heading that is not there"
            }
            _ => return None,
        };
        Some(format!("{}: {link} {wrong}", self.path.display()))
    }
}

/// The name of a heading in a link: lower case, hyphens for spaces, without other punctuation.
fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}

/// The pages that people read: of the top folder, of `docs`, and of the contract.
fn pages() -> Vec<Page> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let folders = [root.clone(), root.join("docs"), root.join("wit"), root.join("tests/plugins/compat")];
    let files = folders.iter().flat_map(|folder| fs::read_dir(folder).expect("a folder"));
    let paths = files.map(|file| file.expect("a file").path());
    paths.filter(|path| path.extension().is_some_and(|end| end == "md")).map(Page::read).collect()
}

#[test]
fn every_link_of_the_documentation_leads_to_something() {
    let pages = pages();
    let links = pages.iter().flat_map(|page| page.links().map(move |link| (page, link)));
    let (mut count, mut problems) = (0, Vec::new());
    for (page, link) in links {
        count += 1;
        problems.extend(page.problem(link));
    }
    assert!(count > 30, "the pages link to each other: {count}");
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn a_link_to_nothing_is_found() {
    let page = Page { path: PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("here.md"), text: "# The `way` out".into() };
    assert_eq!(page.anchors(), ["the-way-out"]);
    assert!(page.problem("../README.md").is_none());
    assert!(page.problem("../README.md#license").is_none());
    assert!(page.problem("../README.md#nowhere").is_some());
    assert!(page.problem("../NOWHERE.md").is_some());
}

/// The rooms of the workspace, as its `Cargo.toml` lists them.
fn rooms(root: &Path) -> Vec<String> {
    let manifest = fs::read_to_string(root.join("Cargo.toml")).expect("the manifest");
    let members = manifest.lines().find(|line| line.starts_with("members = [")).expect("the members");
    members.split('"').skip(1).step_by(2).map(str::to_owned).collect()
}

fn folders(folder: &Path) -> Vec<String> {
    let inside = fs::read_dir(folder).expect("a folder").map(|inside| inside.expect("an entry"));
    let folders = inside.filter(|inside| inside.path().is_dir()).map(|folder| folder.file_name());
    folders.map(|name| name.into_string().expect("text")).collect()
}

#[test]
fn the_architecture_names_every_room_and_what_is_in_the_three_large_ones() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let page = fs::read_to_string(root.join("docs/architecture.md")).expect("the page");
    let rooms = rooms(&root);
    assert!(rooms.contains(&"host".to_owned()), "{rooms:?}");
    for room in rooms {
        assert!(page.contains(&format!("| [`{room}/`](../{room})")), "{room}/ is not in the table of rooms");
    }
    for (heading, room) in [("The host", "host"), ("The agent", "agent"), ("The central server", "central")] {
        let section = page.split(&format!("\n## {heading}\n")).nth(1).expect(heading);
        let section = section.split("\n## ").next().unwrap_or_default();
        let rows: String = section.lines().filter_map(|line| line.split('|').nth(1)).collect();
        for folder in folders(&root.join(room).join("src")) {
            assert!(rows.contains(&format!("`{folder}/`")), "{room}/src/{folder}/ is not under `{heading}`");
        }
    }
}
