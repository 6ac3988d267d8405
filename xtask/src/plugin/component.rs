//! A core WebAssembly module made a component that says who made it.

use wasm_encoder::{ComponentNameSection, ComponentSection, CustomSection};
use wit_component::ComponentEncoder;

use crate::failure::{Context as _, Failure};
use crate::workspace::Package;

/// The component of `module`, whose custom sections `component-name`, `version`, `description`, `authors` and
/// `licenses` carry what the manifest of `package` says: the names that the `wasm-metadata` crate and its tools use.
///
/// # Errors
/// When the module does not carry its world, or the component would not be valid.
pub fn encode(module: &[u8], package: &Package) -> Result<Vec<u8>, Failure> {
    let mut encoder = ComponentEncoder::default();
    encoder.module(module).context("the core module does not fit its world")?.validate(true);
    let mut component = encoder.encode().context("the module cannot be made a component")?;
    let mut name = ComponentNameSection::new();
    name.component(&package.name);
    name.as_custom().append_to_component(&mut component);
    let authors = (!package.authors.is_empty()).then(|| package.authors.join(", "));
    let sections = [
        ("version", Some(&package.version)),
        ("description", package.description.as_ref()),
        ("authors", authors.as_ref()),
        ("licenses", package.license.as_ref()),
    ];
    for (name, text) in sections {
        if let Some(text) = text {
            let section = CustomSection { name: name.into(), data: text.as_bytes().into() };
            section.append_to_component(&mut component);
        }
    }
    Ok(component)
}
