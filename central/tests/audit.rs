//! The audit log (`g11`) only grows: nothing in the program touches what was written.

use std::fs;
use std::path::Path;

#[test]
fn g11_no_statement_of_the_program_changes_or_removes_an_entry() {
    fn look(dir: &Path, found: &mut Vec<String>) {
        for entry in fs::read_dir(dir).expect("a directory") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                look(&path, found);
                continue;
            }
            let text = fs::read_to_string(&path).unwrap_or_default().to_lowercase();
            let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
            for statement in
                ["insert into audit ", "update audit ", "delete from audit ", "drop table audit", "truncate audit"]
            {
                let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
                found.extend(words.matches(statement).map(|_| format!("{name}: {statement}")));
            }
        }
    }
    let mut found = Vec::new();
    look(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
    assert_eq!(found, ["audit.rs: insert into audit "], "one statement writes entries, and none touches them");
}
