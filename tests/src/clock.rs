//! A clock that is wrong, for one program alone.

use std::fs;
use std::path::PathBuf;

/// The environment of a program whose clock is `off` by so much, such as `+3d` or `-2h`.
///
/// The command `faketime` would name a semaphore by its process, and stumble over what one of that number has left behind.
///
/// # Panics
/// Where the library is not installed.
pub fn clock(off: &str) -> [(&'static str, String); 2] {
    let of_architectures = fs::read_dir("/usr/lib").expect("libraries").flatten();
    let libraries = of_architectures.map(|dir| dir.path().join("faketime/libfaketime.so.1"));
    let installed: Option<PathBuf> = libraries.into_iter().find(|library| library.is_file());
    let library = installed.expect("faketime is needed for this test: `cargo xtask test` installs it");
    [("LD_PRELOAD", library.display().to_string()), ("FAKETIME", off.to_owned())]
}
