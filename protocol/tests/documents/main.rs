//! The other documents: their rules, their largest forms, their JSON, and the chain that reports make.

mod chain;
mod largest;
mod license;
mod report;
mod request;
mod settings;
mod wire;
