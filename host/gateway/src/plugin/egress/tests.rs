//! Tests of the gate: a loopback server that says what it is told to, and names that resolve to
//! what a test chooses.

mod address;
mod fetch;
mod pattern;
mod refuse;
mod secret;
mod server;

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;

use super::{Credential, Errand, Gate, GateConfig, Lookup, Method, Pattern};

/// Answers look-ups from a list, one answer a time; the last one stays. Every name gets the same.
struct Script {
    answers: Vec<&'static [&'static str]>,
    asked: AtomicUsize,
}

impl Script {
    fn new(answers: &[&'static [&'static str]]) -> Arc<Self> {
        Arc::new(Self { answers: answers.to_vec(), asked: AtomicUsize::new(0) })
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

impl Lookup for Script {
    fn lookup(&self, _: &str) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        let turn = self.asked.fetch_add(1, Ordering::SeqCst);
        let answer = self.answers.get(turn).or(self.answers.last()).copied();
        Box::pin(async move {
            let answer = answer.ok_or_else(|| io::Error::other("no such name"))?;
            Ok(answer.iter().map(|address| address.parse().unwrap()).collect())
        })
    }
}

fn gate_of(script: &Arc<Script>) -> Gate {
    let config = GateConfig { connect: Duration::from_secs(5), ca_file: None };
    let lookup: Arc<dyn Lookup> = Arc::<Script>::clone(script);
    Gate::with_lookup(&config, &lookup).unwrap()
}

/// A gate for which every name is this machine.
fn gate() -> Gate {
    gate_of(&Script::new(&[&["127.0.0.1"]]))
}

fn patterns(texts: &[&str]) -> Vec<Pattern> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

/// Counts for all tests; which errand sent how much is seen at the server.
static SENT: AtomicU64 = AtomicU64::new(0);

/// An ordinary errand. Servers of tests are on this machine, so the grants are private ones.
fn get<'a>(url: &'a str, private: &'a [Pattern]) -> Errand<'a> {
    Errand {
        method: Method::Get,
        url,
        headers: &[],
        body: Bytes::new(),
        timeout: Duration::from_secs(20),
        response_bytes_max: 1 << 20,
        redirects_max: 5,
        sent: &SENT,
        public: &[],
        private,
        credential: None,
        setting: "plugin.web.grant",
    }
}

fn headers(list: &[(&str, &str)]) -> Vec<(String, String)> {
    list.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn bearer<'a>(value: &'a str, hosts: &'a [Pattern]) -> Credential<'a> {
    Credential { name: "exa", value, placement: super::Placement::Bearer, hosts }
}
