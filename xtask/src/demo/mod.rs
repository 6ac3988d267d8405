//! `cargo xtask demo`: the whole job on one machine, with the real binaries, from an empty folder to a report on the
//! Licenses tab.

mod central;
mod interrupt;
mod product;
mod services;
mod story;
mod tool;

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};

use crate::failure::{Context as _, Failure};
use crate::plugin;
use crate::progress::Progress;
use crate::workspace::Workspace;

use interrupt::Interrupt;
use story::Story;

/// How to show it.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// End as soon as the stored report was read back from central and compared with the product's database
    #[arg(long)]
    pub once: bool,
    /// Keep the data in this folder, which must be new or empty [default: a temporary folder]
    #[arg(long)]
    pub dir: Option<PathBuf>,
    /// The port of the central server on 127.0.0.1
    #[arg(long, default_value_t = 8095)]
    pub port: u16,
    /// The port of the product's pages and its local API on 127.0.0.1
    #[arg(long, default_value_t = 8096)]
    pub product_port: u16,
    /// By what the plugins are built.
    #[command(flatten)]
    pub source: plugin::Source,
}

/// Builds, lives through the job, and serves until Ctrl-C.
///
/// # Errors
/// When a step fails: the message says which. Whatever was started is stopped.
pub fn demo(workspace: &Workspace, options: &Options) -> Result<(), Failure> {
    let progress = Progress::start();
    let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, options.port));
    let product_listen = SocketAddr::from((Ipv4Addr::LOCALHOST, options.product_port));
    // What can be refused is refused before minutes of building.
    ensure_free(listen, "--port")?;
    if !options.once {
        ensure_free(product_listen, "--product-port")?;
    }
    // Kept until the end of this function: a temporary folder goes when it is dropped.
    let folder = Folder::prepare(options.dir.as_deref())?;
    let plugin = plugin::Options { fixtures: false, source: options.source };
    plugin::build(workspace, &plugin, &progress)?;
    progress.say("building the binaries");
    workspace.build_binaries()?;
    let mut interrupt = Interrupt::watch()?;
    let dir = folder.path();
    let mut story = Story { workspace, progress: &progress, interrupt: &mut interrupt, dir, listen, product_listen };
    let scene = story.play()?;
    println!("{}", scene.describe());
    if options.once {
        return Ok(());
    }
    let (mut services, pages) = story.stay(scene)?;
    println!("{pages}");
    if options.dir.is_some() {
        println!("The data is in {}.", folder.path().display());
    }
    println!("Serving until Ctrl-C.");
    let end = interrupt.wait(&mut services);
    progress.say("stopping");
    end
}

fn ensure_free(address: SocketAddr, option: &str) -> Result<(), Failure> {
    TcpListener::bind(address).map(drop).map_err(|error| {
        Failure::new(format!("cannot listen on {address} ({error}): stop what does, or choose another {option}"))
    })
}

/// Where the demo keeps its data.
enum Folder {
    Kept(PathBuf),
    Temporary(tempfile::TempDir),
}

impl Folder {
    fn prepare(dir: Option<&Path>) -> Result<Self, Failure> {
        let Some(dir) = dir else {
            return tempfile::Builder::new()
                .prefix("seatline-demo-")
                .tempdir()
                .map(Self::Temporary)
                .context("a folder");
        };
        std::fs::create_dir_all(dir).context(dir.display())?;
        if std::fs::read_dir(dir).context(dir.display())?.next().is_some() {
            return Err(Failure::new(format!("{} is not empty: name a new folder with --dir", dir.display())));
        }
        std::path::absolute(dir).map(Self::Kept).context(dir.display())
    }

    fn path(&self) -> &Path {
        match self {
            Self::Kept(path) => path,
            Self::Temporary(folder) => folder.path(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_holds_something_is_refused_and_left_alone() {
        let place = tempfile::tempdir().expect("a folder");
        let new = place.path().join("new");
        let folder = Folder::prepare(Some(&new)).map_err(|error| error.to_string()).expect("a new folder");
        assert_eq!(folder.path(), new);
        drop(folder);
        assert!(new.is_dir(), "it is kept");
        let error = Folder::prepare(Some(place.path())).map(drop).expect_err("something is in it").to_string();
        assert!(error.contains("is not empty"), "{error}");
        assert!(new.is_dir(), "what is in it stays");
    }

    #[test]
    fn a_port_that_is_taken_is_told_before_anything_is_built() {
        let taken = TcpListener::bind("127.0.0.1:0").and_then(|listener| Ok((listener.local_addr()?, listener)));
        let (address, _listener) = taken.expect("a port");
        let error = ensure_free(address, "--port").expect_err("it is taken").to_string();
        assert!(error.contains("choose another --port"), "{error}");
    }
}
