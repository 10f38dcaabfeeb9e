//! A plugin for WASI that reaches for what it was not given: files, the network, the environment.
//! What came of it stands in the reply. It is for the tests of the sandbox and is never shipped.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "what is tried is what `std` offers a program for WASI"
)]

use std::io::Write;
use std::time::{Duration, SystemTime};

use patchbay_sdk::{Decision, Description, Error, Generation, Kind, Plugin, Request};

/// The plugin, for one generation.
pub struct Wasi;

impl Plugin for Wasi {
    fn describe() -> Description {
        Description::new("wasi", "0.1.0", Kind::Transform).summary("Reaches for everything.")
    }

    fn new(_: &Generation) -> Result<Self, Error> {
        Ok(Self)
    }

    fn on_request(&mut self, _: &Generation, _: Request) -> Result<Decision, Error> {
        println!("printed to standard output");
        eprintln!("printed to standard error");
        let tried = [
            ("read", std::fs::read("/etc/passwd").is_ok()),
            ("list", std::fs::read_dir("/").is_ok()),
            ("write", std::fs::write("left-behind", "x").is_ok()),
            ("connect", std::net::TcpStream::connect("127.0.0.1:80").is_ok()),
            ("listen", std::net::TcpListener::bind("127.0.0.1:0").is_ok()),
            ("environment", std::env::vars().next().is_some()),
            ("arguments", std::env::args().next().is_some()),
        ];
        let open = tried.iter().filter(|(_, is_open)| *is_open).map(|(name, _)| *name);
        let open: Vec<_> = open.collect();
        // Time is there, and sleeping waits without a thread of the host's.
        std::thread::sleep(Duration::from_millis(20));
        let is_dated = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).is_ok();
        let flood = "x".repeat(1000);
        for _ in 0..1000 {
            let _ = writeln!(std::io::stderr(), "{flood}");
        }
        Ok(Decision::answer(format!("open: {open:?}, dated: {is_dated}")))
    }
}

patchbay_sdk::export!(Wasi: request);
