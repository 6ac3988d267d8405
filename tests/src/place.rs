//! A data directory on a small disk of its own, which can be filled up, made read-only and mended under a running
//! agent.
//!
//! It is a file system in memory, mounted in a namespace of its own: no privilege is needed where users may make
//! namespaces, and nobody else sees it. The process that holds it ends with it.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::process::until;

/// Copies what lies in the directory onto the disk, and says when it is done; it ends with its standard input.
const MOUNT: &str = r#"set -e
cp -a "$1" "$1.before"
mount -t tmpfs -o size="$2",mode=0700 seatline-test "$1"
cp -a "$1.before/." "$1"
rm -r "$1.before"
echo mounted
exec cat"#;

/// The disk of a directory.
#[derive(Debug)]
pub struct Disk {
    holder: Child,
    dir: PathBuf,
}

impl Disk {
    /// Puts the directory, with all that is in it, onto a disk of so many bytes.
    pub fn under(dir: &Path, bytes: u64) -> Self {
        let mut holder = Command::new("unshare");
        holder.args(["--user", "--map-root-user", "--mount", "sh", "-c", MOUNT, "sh"]).arg(dir).arg(bytes.to_string());
        let holder = holder.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut holder = holder.expect("unshare, of util-linux, starts");
        let mut line = String::new();
        let said = BufReader::new(holder.stdout.take().expect("its output")).read_line(&mut line);
        said.expect("it says whether it has mounted the disk");
        assert_eq!(line, "mounted\n", "this test needs namespaces of users: is user.max_user_namespaces above 0?");
        Self { holder, dir: dir.to_owned() }
    }

    /// The program, to be run where the disk is seen.
    pub fn entered(&self, program: &Path) -> Command {
        let mut command = Command::new("nsenter");
        command.args(["--user", "--mount", "--preserve-credentials", "--target"]).arg(self.holder.id().to_string());
        command.arg("--").arg(program);
        command
    }

    /// Where the directory is seen from outside.
    pub fn seen(&self) -> PathBuf {
        let dir = self.dir.strip_prefix("/").expect("an absolute path");
        Path::new("/proc").join(self.holder.id().to_string()).join("root").join(dir)
    }

    /// Writes until nothing more can be written.
    pub fn fill(&self) {
        let mut file = fs::File::create(self.seen().join("filler")).expect("a file");
        // In ever smaller pieces, so that not a byte is left.
        let mut piece = vec![0; 1 << 20];
        while !piece.is_empty() {
            if file.write_all(&piece).is_err() {
                piece.truncate(piece.len() / 2);
            }
        }
    }

    /// Makes room again.
    pub fn make_room(&self) {
        fs::remove_file(self.seen().join("filler")).expect("the filler goes");
    }

    /// Makes the disk read-only, or writable again.
    pub fn set_read_only(&self, read_only: bool) {
        let mode = if read_only { "remount,ro" } else { "remount,rw" };
        // For as long as anybody has a file open that is written to, the disk is busy.
        until("the disk is mounted anew", || {
            let remounted = self.entered(Path::new("mount")).args(["-o", mode]).arg(&self.dir).output();
            remounted.expect("mount starts").status.success().then_some(())
        });
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}
