//! The command `seatline`.

fn main() -> std::process::ExitCode {
    seatline_agent::main()
}
