//! Plugins besides the stock one.

use std::path::PathBuf;

use super::agent::stock_plugin;

/// A small plugin that reports honestly, from the fixtures.
pub fn honest_plugin() -> PathBuf {
    let path = stock_plugin().with_file_name("fixtures").join("honest.wasm");
    assert!(path.is_file(), "the fixtures are needed for this test: run `cargo xtask build-plugin --fixtures`");
    path
}

/// A core module of the contract's world that imports nothing, and whose functions only trap.
pub fn core_module_of_the_contract() -> Vec<u8> {
    use wasm_encoder::{
        CodeSection, ExportKind, ExportSection, Function, FunctionSection, MemorySection, MemoryType, Module,
        TypeSection, ValType::I32,
    };
    let mut types = TypeSection::new();
    types.ty().function([I32, I32], [I32]);
    types.ty().function([I32, I32, I32, I32], [I32]);
    let mut functions = FunctionSection::new();
    functions.function(0).function(1);
    let mut memories = MemorySection::new();
    memories.memory(MemoryType { minimum: 1, maximum: None, memory64: false, shared: false, page_size_log2: None });
    let mut exports = ExportSection::new();
    exports.export("seatline:license-visibility/reporter@1.0.0#run", ExportKind::Func, 0);
    exports.export("cabi_realloc", ExportKind::Func, 1);
    exports.export("memory", ExportKind::Memory, 0);
    let mut code = CodeSection::new();
    for _ in 0..2 {
        let mut function = Function::new([]);
        function.instructions().unreachable().end();
        code.function(&function);
    }
    let mut module = Module::new();
    module.section(&types).section(&functions).section(&memories).section(&exports).section(&code);
    let mut module = module.finish();

    let mut resolve = wit_parser::Resolve::default();
    let (package, _) = resolve.push_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../wit/v1")).expect("the contract");
    let world = resolve.select_world(&[package], Some("license-visibility")).expect("its world");
    wit_component::embed_component_metadata(&mut module, &resolve, world, wit_component::StringEncoding::UTF8)
        .expect("the world in the module");
    module
}
