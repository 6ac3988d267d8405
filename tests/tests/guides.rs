//! The guide for administrators is true: its commands are run as they stand, in their order.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use seatline_tests::{Wiki, binaries, plugin};

/// The shell blocks of a guide: what runs in the background, and what runs in order.
struct Guide {
    script: String,
    blocks: usize,
}

impl Guide {
    fn read(name: &str) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs").join(name);
        let text = fs::read_to_string(&path).expect("the guide");
        let mut script = String::from("set -eu\n");
        let mut blocks = 0;
        for block in text.split("\n```sh").skip(1) {
            let (kind, rest) = block.split_once('\n').expect("a block has lines");
            let (commands, _) = rest.split_once("\n```").expect("a block ends");
            match kind.trim() {
                "" => script.push_str(&format!("{commands}\n")),
                // The next command waits for the port itself, as a person would wait for the line that it serves.
                "background" => script.push_str(&format!(
                    "{commands} > serve.log 2>&1 &\nserver=$!\ntrap 'kill $server' EXIT\n\
                     until grep -q Serving serve.log; do kill -0 $server; done\n"
                )),
                other => panic!("{name} has a block of the unknown kind `{other}`"),
            }
            blocks += 1;
        }
        Self { script, blocks }
    }
}

#[test]
fn every_command_of_the_administrators_guide_works_as_it_stands() {
    let guide = Guide::read("administration.md");
    assert!(guide.blocks > 10, "the guide has its blocks");
    let home = tempfile::tempdir().expect("a temporary directory");
    Wiki::new(home.path());
    fs::copy(plugin("license-visibility.wasm"), home.path().join("license-visibility.wasm")).expect("the plugin");
    // Another port than the default, so that a server that somebody runs on it is left alone.
    let path = format!("{}:{}", binaries().display(), std::env::var("PATH").expect("a path"));
    let script = guide.script.replace("seatline-central serve", "seatline-central serve --listen 127.81.0.95:8095");
    let output = Command::new("bash")
        .args(["-c", &script])
        .current_dir(home.path())
        .env("PATH", path)
        .env_remove("SEATLINE_LICENSE")
        .stdin(Stdio::null())
        .output()
        .expect("bash starts");
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{out}\n{err}");
    for expected in ["Link          approved", "counted     67", "example-wiki", "Standing      licensed"] {
        assert!(out.contains(expected), "`{expected}` is not in\n{out}\n{err}");
    }
}
