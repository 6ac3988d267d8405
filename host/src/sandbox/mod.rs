//! The sandbox: runs a license-visibility plugin so that nothing it does can hurt the product (`b5`, `b6`).
//!
//! A plugin is a WebAssembly component of the contract in `wit/v1`. It reaches what the contract gives and nothing
//! else: no network, no file, no clock. Every run has a fresh instance in a fresh store, which is dropped when the run
//! ends, so that nothing stays from one run to the next and a plugin that was stopped leaves nothing behind.
//!
//! | threat | what stands against it |
//! |---|---|
//! | it asks for more than the contract has | [`inspect`] reads the imports from its bytes; only the contract is linked |
//! | it asks for more than it was granted | every call asks [`Grants`] first; a refusal is a value |
//! | it never ends | [`Limits::plugin_time`], by the epoch, in every loop and also in start functions |
//! | it fills memory | one sum over all memories and tables, counts of memories, tables, instances, handles |
//! | it recurses without end | a stack of 512 KiB |
//! | it sends giant values | [`Limits::bytes_per_call`], before the host allocates |
//! | it floods the host | quotas of calls, passes, submits, bytes and journal lines |
//! | it lies | a report is held against what the host itself gave in the same run |
//! | it writes for the eyes of an administrator | every text is one cleaned line |
//! | it sends bytes of its own | typed values only; the one field of bytes must be a sketch, of no more than was counted |
//! | the product hangs, fails or panics | it is asked on a thread of its own, with [`Limits::product_time`] |
//!
//! What compiling costs is not limited by time: a component has at most [`MAX_COMPONENT_BYTES`], is validated first,
//! and is compiled once, when an administrator installs it.
//!
//! ```no_run
//! use seatline_host::sandbox::{Limits, Sandbox};
//!
//! let sandbox = Sandbox::new(Limits::default())?;
//! let plugin = sandbox.load(&std::fs::read("license-visibility.wasm")?)?;
//! println!("{} {} asks for {:?}", plugin.inspection().name, plugin.inspection().version, plugin.inspection().asks);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod allotment;
mod capability;
pub(crate) mod compiled;
mod contract;
mod deadline;
mod engine;
mod errand;
mod imports;
mod inspection;
mod limits;
mod outcome;
mod pass;
mod run;
mod state;
mod submission;

use std::fmt;
use std::sync::Arc;

use seatline_protocol::text;
use wasmtime::Engine;
use wasmtime::component::{Component, HasSelf, Linker};

pub use capability::{Capability, Grants, UnknownCapability};
pub use contract::VERSION as CONTRACT_VERSION;
pub use engine::VERSION as WASMTIME_VERSION;
pub use inspection::{InspectError, Inspection, MAX_COMPONENT_BYTES, inspect};
pub use limits::Limits;
pub use outcome::RunError;
pub use pass::{day, day_of, state_of};
pub use run::{JournalLevel, JournalLine, LinkSettings, LoadedPlugin, Occasion, RunRecord, Trigger};
pub use submission::Submission;

use contract::{LicenseVisibility, LicenseVisibilityPre};
use deadline::Ticker;
use errand::Errands;
use state::RunState;

/// The engine with its limits. A process makes one; clones are the same sandbox.
#[derive(Clone)]
pub struct Sandbox {
    inner: Arc<Inner>,
}

struct Inner {
    limits: Arc<Limits>,
    errands: Errands,
    linker: Linker<RunState>,
    ticker: Ticker,
    engine: Engine,
}

impl fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sandbox").field("limits", &self.inner.limits).finish_non_exhaustive()
    }
}

/// Why a component cannot be made ready to run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// The engine cannot be had on this machine.
    #[error("the sandbox cannot start: {0}")]
    Engine(String),
    /// The bytes are not a plugin.
    #[error(transparent)]
    Inspect(#[from] InspectError),
    /// The component is damaged inside, or uses what the sandbox has switched off.
    #[error("the plugin cannot be compiled: {0}")]
    Compile(String),
    /// An import or export has another type than the contract says.
    #[error("the plugin was built against another contract: {0}; rebuild it with the published one")]
    Types(String),
}

impl LoadError {
    /// A stable code for machines.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Engine(_) => "sandbox-unavailable",
            Self::Inspect(error) => error.code(),
            Self::Compile(_) => "plugin-not-compilable",
            Self::Types(_) => "plugin-wrong-types",
        }
    }
}

impl Sandbox {
    /// A sandbox with `limits`.
    ///
    /// # Errors
    /// When this machine cannot run compiled plugins.
    pub fn new(limits: Limits) -> Result<Self, LoadError> {
        let engine = engine::engine()?;
        let mut linker = Linker::new(&engine);
        LicenseVisibility::add_to_linker::<_, HasSelf<RunState>>(&mut linker, |state| state)
            .map_err(|error| LoadError::Engine(wasmtime_words(&error)))?;
        let ticker = Ticker::start(&engine)?;
        let inner = Inner { limits: Arc::new(limits), errands: Errands::default(), linker, ticker, engine };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Inspects, compiles and links the component in `bytes`.
    ///
    /// # Errors
    /// When the bytes are not a plugin that this host can run.
    pub fn load(&self, bytes: &[u8]) -> Result<LoadedPlugin, LoadError> {
        let inspection = inspect(bytes)?;
        let component = self.compile(bytes)?;
        self.link(inspection, &component)
    }

    /// Compiles the component in `bytes`.
    pub(crate) fn compile(&self, bytes: &[u8]) -> Result<Component, LoadError> {
        Component::from_binary(self.engine(), bytes).map_err(|error| LoadError::Compile(wasmtime_words(&error)))
    }

    /// Links a compiled component to the contract, and checks every type on the border.
    pub(crate) fn link(&self, inspection: Inspection, component: &Component) -> Result<LoadedPlugin, LoadError> {
        let types = |error: wasmtime::Error| LoadError::Types(wasmtime_words(&error));
        if !contract::exports_run(component) {
            return Err(LoadError::Types("its `reporter.run` has another type".to_owned()));
        }
        let pre = self.inner.linker.instantiate_pre(component).map_err(types)?;
        let pre = LicenseVisibilityPre::new(pre).map_err(types)?;
        Ok(LoadedPlugin::new(self.clone(), pre, inspection))
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.inner.engine
    }
}

/// An error of wasmtime as one line, from the outermost context to the cause.
fn wasmtime_words(error: &wasmtime::Error) -> String {
    text::line(&format!("{error:#}"), 300)
}
