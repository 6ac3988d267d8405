//! Components that no compiler would make, written as text.

/// A component that exports the reporter of the contract.
///
/// `head` stands before everything else, `core` is the inside of the core module `$m`, which must export `run` (it gets
/// the trigger and the day, and gives the address of a `result<_, string>`), and `with` gives what the module imports.
/// The memory of the module is its export `memory`, whose zeros are a good result.
pub fn plugin(head: &str, core: &str, with: &str) -> Vec<u8> {
    component(&format!(
        r#"{head}
        (core module $m {core})
        (core instance $i (instantiate $m {with}))
        (type $trigger (enum "start" "interval" "demand"))
        (type $occasion (record (field "trigger" $trigger) (field "today" u32)))
        (func $run (param "occasion" $occasion) (result (result (error string)))
            (canon lift (core func $i "run") (memory $i "memory")))
        {}"#,
        reporter("(result (result (error string)))")
    ))
}

/// The export of the reporter, made of `$trigger`, `$occasion` and `$run`: an interface exports the types that its
/// functions name, and a component inside does the naming.
fn reporter(result: &str) -> String {
    format!(
        r#"(component $reporter
            (import "trigger" (type $t (eq $trigger)))
            (type $o' (record (field "trigger" $t) (field "today" u32)))
            (import "occasion" (type $o (eq $o')))
            (import "run" (func $f (param "occasion" $o) {result}))
            (export $te "trigger" (type $t))
            (type $oe' (record (field "trigger" $te) (field "today" u32)))
            (export $oe "occasion" (type $oe'))
            (export "run" (func $f) (func (param "occasion" $oe) {result})))
        (instance $exported (instantiate $reporter
            (with "trigger" (type $trigger)) (with "occasion" (type $occasion)) (with "run" (func $run))))
        (export "seatline:license-visibility/reporter@1.0.0" (instance $exported))"#
    )
}

/// A component whose `run` gives a number instead of a result.
pub fn plugin_with_another_run() -> Vec<u8> {
    component(&format!(
        r#"(core module $m (func (export "run") (param i32 i32) (result i32) i32.const 0))
        (core instance $i (instantiate $m))
        (type $trigger (enum "start" "interval" "demand"))
        (type $occasion (record (field "trigger" $trigger) (field "today" u32)))
        (func $run (param "occasion" $occasion) (result u32) (canon lift (core func $i "run")))
        {}"#,
        reporter("(result u32)")
    ))
}

/// A component whose reporter does nothing but end well, with `core` beside it in the core module.
pub fn idle(core: &str) -> Vec<u8> {
    plugin("", &format!("{core} {END_WELL}"), "")
}

/// A memory, and a `run` that ends well.
pub const END_WELL: &str =
    r#"(memory (export "memory") 1) (func (export "run") (param i32 i32) (result i32) i32.const 0)"#;

/// A plugin that calls `usage.measure`, whose type has `value` as the type of a measured value, with `realloc` as the
/// body of the function that makes room for the answer.
pub fn measuring(value: &str, realloc: &str) -> Vec<u8> {
    let head = format!(
        r#"(import "seatline:license-visibility/usage@1.0.0" (instance $usage
            (type $r' (variant (case "not-granted") (case "unavailable" string) (case "quota" string)
                (case "invalid" string)))
            (export "refusal" (type $r (eq $r')))
            (type $m' (record (field "dimension" string) (field "value" {value})))
            (export "measurement" (type $m (eq $m')))
            (export "measure" (func (result (result (list $m) (error $r)))))))
        (core module $room
            (memory (export "memory") 1)
            (func (export "realloc") (param i32 i32 i32 i32) (result i32) {realloc}))
        (core instance $room (instantiate $room))
        (core func $measure (canon lower (func $usage "measure")
            (memory $room "memory") (realloc (func $room "realloc"))))"#
    );
    let core = r#"
        (import "usage" "measure" (func $measure (param i32)))
        (memory (export "memory") 1)
        (func (export "run") (param i32 i32) (result i32) (call $measure (i32.const 1024)) i32.const 0)"#;
    plugin(&head, core, r#"(with "usage" (instance (export "measure" (func $measure))))"#)
}

/// The bytes of the component with `text` inside.
pub fn component(text: &str) -> Vec<u8> {
    let text = format!("(component {text})");
    wat::parse_str(&text).unwrap_or_else(|error| panic!("{error}"))
}
