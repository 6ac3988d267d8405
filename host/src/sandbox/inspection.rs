//! What a component says of itself, read from its bytes before anything of it is compiled or run.

use seatline_protocol::report::PluginFacts;
use seatline_protocol::{Digest, text};
use wasmparser::{
    Chunk, ComponentExternalKind, ComponentName, ComponentNameSectionReader, CustomSectionReader, Encoding, Parser,
    Payload,
};

use super::contract::{MAJORS, PACKAGE};
use super::{Capability, Grants};

/// The most bytes of a component: 16 MiB. The stock plugin has about 100 KiB; one that brings a JavaScript engine, 12
/// MiB.
pub const MAX_COMPONENT_BYTES: usize = 16 << 20;
/// The most characters of a plugin's name or version.
const MAX_NAME: usize = 64;

/// What is known of a plugin from its bytes alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inspection {
    /// Its name, from the component's own metadata; `unnamed` where there is none. It identifies nothing: the digest
    /// does.
    pub name: String,
    /// Its version, from the component's metadata; `unversioned` where there is none.
    pub version: String,
    /// Who publishes it, as its own metadata claims (`authors`); nobody has verified it.
    pub publisher: Option<String>,
    /// The digest of the bytes.
    pub digest: Digest,
    /// How many bytes.
    pub size: usize,
    /// The capabilities that it asks for: its imports, in the order of [`Capability::ALL`].
    pub asks: Vec<Capability>,
}

impl Inspection {
    /// The plugin as a report names it, with the capabilities that it is granted.
    pub fn facts(&self, grants: &Grants) -> PluginFacts {
        PluginFacts {
            name: self.name.clone(),
            version: self.version.clone(),
            digest: self.digest.clone(),
            granted: Some(grants.names()),
        }
    }
}

/// Why bytes are not a plugin that this host can run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InspectError {
    /// More than [`MAX_COMPONENT_BYTES`].
    #[error("the file is too large: {size} bytes, and a plugin has at most {MAX_COMPONENT_BYTES}")]
    TooLarge {
        /// The bytes of the file.
        size: u64,
    },
    /// No bytes at all.
    #[error("the file is empty")]
    Empty,
    /// Not WebAssembly.
    #[error("the file is not a WebAssembly component")]
    NotWasm,
    /// A module, which lacks the types of the contract.
    #[error("the file is a core WebAssembly module, not a component; make one of it with `seatline plugin pack`")]
    CoreModule,
    /// It ends in the middle.
    #[error("the file is cut off: a section of it ends beyond its {size} bytes; fetch it again")]
    Truncated {
        /// The bytes of the file.
        size: usize,
    },
    /// Its sections cannot be read.
    #[error("the file is damaged: {reason}")]
    Damaged {
        /// What is wrong, in the parser's words.
        reason: String,
    },
    /// It imports what the contract does not have, such as WASI.
    #[error("the plugin imports `{name}`, which a plugin cannot have; there is only {PACKAGE}@{}.x with {}", MAJORS.join(".x, "), known())]
    UnknownImport {
        /// The import.
        name: String,
    },
    /// It exports what the contract does not have.
    #[error("the plugin exports `{name}`, which is not in the contract; it must export {PACKAGE}/reporter@1.x alone")]
    UnknownExport {
        /// The export.
        name: String,
    },
    /// It does not export what the host calls.
    #[error("the component is not a license-visibility plugin: it does not export {PACKAGE}/reporter@1.x")]
    NoReporter,
}

/// The interfaces that can be imported, in one line.
fn known() -> String {
    Capability::ALL.map(Capability::name).join(", ")
}

impl InspectError {
    /// A stable code for machines.
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "plugin-too-large",
            Self::Empty => "plugin-empty",
            Self::NotWasm => "plugin-not-wasm",
            Self::CoreModule => "plugin-core-module",
            Self::Truncated { .. } => "plugin-truncated",
            Self::Damaged { .. } => "plugin-damaged",
            Self::UnknownImport { .. } => "plugin-unknown-import",
            Self::UnknownExport { .. } => "plugin-unknown-export",
            Self::NoReporter => "plugin-wrong-world",
        }
    }
}

/// Reads what the component in `bytes` is, what it asks for and what it offers.
///
/// ```
/// use seatline_host::sandbox::inspect;
///
/// assert_eq!(inspect(b"").unwrap_err().code(), "plugin-empty");
/// assert_eq!(inspect(b"#!/bin/sh").unwrap_err().code(), "plugin-not-wasm");
/// ```
///
/// # Errors
/// One clear reason why it is not a plugin.
pub fn inspect(bytes: &[u8]) -> Result<Inspection, InspectError> {
    if bytes.len() > MAX_COMPONENT_BYTES {
        return Err(InspectError::TooLarge { size: bytes.len() as u64 });
    }
    if bytes.is_empty() {
        return Err(InspectError::Empty);
    }
    let digest = Digest::of(bytes);
    let found = read(bytes)?;
    if !found.reporter {
        return Err(InspectError::NoReporter);
    }
    Ok(Inspection {
        name: found.name.unwrap_or_else(|| "unnamed".to_owned()),
        version: found.version.unwrap_or_else(|| "unversioned".to_owned()),
        publisher: found.publisher,
        digest,
        size: bytes.len(),
        asks: Capability::ALL.into_iter().filter(|capability| found.asks.contains(capability)).collect(),
    })
}

/// What the outermost component holds.
#[derive(Default)]
struct Found {
    name: Option<String>,
    version: Option<String>,
    publisher: Option<String>,
    asks: Vec<Capability>,
    reporter: bool,
}

/// Reads the sections of the outermost component; what is nested in it is passed over, the compiler validates it.
fn read(bytes: &[u8]) -> Result<Found, InspectError> {
    if !bytes.starts_with(b"\0asm") {
        let cut_off = b"\0asm".starts_with(bytes);
        return Err(if cut_off { InspectError::Truncated { size: bytes.len() } } else { InspectError::NotWasm });
    }
    let mut parser = Parser::new(0);
    let mut rest = bytes;
    let mut found = Found::default();
    loop {
        // Told that more may come, the parser tells what is cut off from what is damaged.
        let (consumed, payload) = match parser.parse(rest, false).map_err(damaged)? {
            Chunk::Parsed { consumed, payload } => (consumed, payload),
            Chunk::NeedMoreData(_) if rest.is_empty() => return Ok(found),
            Chunk::NeedMoreData(_) => return Err(InspectError::Truncated { size: bytes.len() }),
        };
        rest = &rest[consumed..];
        match payload {
            Payload::Version { encoding: Encoding::Module, .. } => return Err(InspectError::CoreModule),
            Payload::ModuleSection { unchecked_range: range, .. }
            | Payload::ComponentSection { unchecked_range: range, .. } => {
                rest = rest.get(range.len()..).ok_or(InspectError::Truncated { size: bytes.len() })?;
            }
            Payload::ComponentImportSection(imports) => {
                for import in imports {
                    found.import(import.map_err(damaged)?.name.name)?;
                }
            }
            Payload::ComponentExportSection(exports) => {
                for export in exports {
                    let export = export.map_err(damaged)?;
                    found.export(export.name.name, export.kind)?;
                }
            }
            Payload::CustomSection(section) => found.metadata(&section),
            _ => {}
        }
    }
}

impl Found {
    fn import(&mut self, name: &str) -> Result<(), InspectError> {
        match interface(name) {
            // The shared types grant nothing.
            Some("types") => Ok(()),
            Some(interface) => match interface.parse() {
                Ok(capability) => {
                    self.asks.push(capability);
                    Ok(())
                }
                Err(_) => Err(InspectError::UnknownImport { name: text::line(name, 128) }),
            },
            None => Err(InspectError::UnknownImport { name: text::line(name, 128) }),
        }
    }

    fn export(&mut self, name: &str, kind: ComponentExternalKind) -> Result<(), InspectError> {
        if interface(name) != Some("reporter") || kind != ComponentExternalKind::Instance {
            return Err(InspectError::UnknownExport { name: text::line(name, 128) });
        }
        self.reporter = true;
        Ok(())
    }

    /// Takes name, version and publisher from where `wasm-metadata` writes them. What cannot be read is as if it were
    /// not there: it is shown to people, and decides nothing.
    fn metadata(&mut self, section: &CustomSectionReader<'_>) {
        match section.name() {
            "component-name" => {
                let reader = wasmparser::BinaryReader::new(section.data(), section.data_offset());
                for name in ComponentNameSectionReader::new(reader).flatten() {
                    if let ComponentName::Component { name, .. } = name {
                        self.name = shown(name);
                    }
                }
            }
            "version" => self.version = std::str::from_utf8(section.data()).ok().and_then(shown),
            "authors" => self.publisher = std::str::from_utf8(section.data()).ok().and_then(shown),
            _ => {}
        }
    }
}

fn shown(text: &str) -> Option<String> {
    Some(text::line(text, MAX_NAME)).filter(|line| !line.is_empty())
}

/// The interface of the contract that `name` stands for, in a major version that this host knows.
fn interface(name: &str) -> Option<&str> {
    let (interface, version) = name.strip_prefix(PACKAGE)?.strip_prefix('/')?.split_once('@')?;
    let (major, _) = version.split_once('.')?;
    MAJORS.contains(&major).then_some(interface)
}

fn damaged(error: wasmparser::BinaryReaderError) -> InspectError {
    InspectError::Damaged { reason: text::line(&error.to_string(), 200) }
}
