//! The official clients, as users have them. `tests/clients/clients.json` lists them: the program
//! that drives each, what it needs installed, the surface it speaks to, and what it can't do, with
//! the reason. A program gets a plan, tries every feature that the plan names against every upstream,
//! and prints a line of JSON for each: whoever it is, what the reply said is compared there.
//!
//! `PATCHBAY_PYTHON` names a Python that has the clients, `PATCHBAY_NODE_MODULES` the
//! `node_modules`; `.ci/run` sets both.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use futures_util::StreamExt;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::process::Command;

use crate::matrix::{Matrix, Outcome, Place};
use crate::stage::{FEATURES, Stage, expected};
use crate::upstream::text;

#[tokio::test]
async fn every_official_client_works_with_every_upstream() {
    let list = text(&programs().join("clients.json"));
    let mut clients: Vec<Client> = serde_json::from_str(&list).unwrap();
    // `CLIENTS=openai` runs those only whose name has that in it.
    let wanted = std::env::var("CLIENTS").unwrap_or_default();
    clients.retain(|client| client.name.contains(&wanted));
    let mut matrix = Matrix::new("official client x upstream dialect x feature", FEATURES);
    // Each has a stage of its own, so that none sees what another one did to the double.
    let runs = futures_util::stream::iter(&clients)
        .map(|client| async move { (client, client.run().await) });
    let mut runs = runs.buffered(AT_ONCE);
    while let Some((client, cells)) = runs.next().await {
        match cells {
            Ok(cells) => cells.into_iter().for_each(|(place, outcome)| matrix.set(place, outcome)),
            Err(why) => skip(&format!("the client {}, because {why}", client.name)),
        }
    }
    matrix.settle();
}

/// Clients that run at the same time.
const AT_ONCE: usize = 2;

/// How long one client may take for all its cells.
const PATIENCE: Duration = Duration::from_secs(120);

/// An official client.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Client {
    name: String,
    /// In `tests/clients`; the end says what runs it.
    program: String,
    /// The module that must be there, as it is imported.
    module: String,
    /// A path of the surface it speaks to.
    surface: String,
    /// The path that makes embeddings, where the client has such a call.
    embeddings: Option<String>,
    /// What it can't do, by feature, or by feature and mode (`structured streamed`).
    #[serde(default)]
    no: BTreeMap<String, String>,
    /// What it can't do with one upstream, likewise, by dialect.
    #[serde(default)]
    no_with: BTreeMap<String, BTreeMap<String, String>>,
}

/// A line that a program prints.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    upstream: String,
    feature: String,
    streamed: bool,
    result: Verdict,
    #[serde(default)]
    why: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Verdict {
    Ok,
    Failed,
}

impl Client {
    /// Runs it; an error is why it can't be run here.
    async fn run(&self) -> Result<Vec<(Place, Outcome)>, String> {
        let mut command = self.command()?;
        let stage = Stage::set().await;
        let surface = stage.obstacle(&self.surface).await;
        let embeddings = match &self.embeddings {
            Some(path) => stage.obstacle(path).await,
            None => None,
        };
        let mut cells = Vec::new();
        let mut asked = Vec::new();
        for upstream in &stage.upstreams {
            for (feature, modes) in FEATURES {
                for streamed in *modes {
                    let place = Place::new(&self.name, feature, upstream.dialect, *streamed);
                    let path = if *feature == "embeddings" { &embeddings } else { &surface };
                    let obstacle = self.obstacle(&place).or_else(|| path.clone());
                    match obstacle.or_else(|| upstream.obstacle(feature)) {
                        Some(why) => cells.push((place, Outcome::No(why))),
                        None => asked.push(place),
                    }
                }
            }
        }
        if asked.is_empty() {
            return Ok(cells);
        }
        let plan = stage.gateway.folder().join("plan.json");
        std::fs::write(&plan, self.plan(&stage, &asked).to_string()).unwrap();
        command.arg(&plan).current_dir(stage.gateway.folder());
        // Files, so that what was said before the end of patience is known too.
        let said = ["said.jsonl", "errors.txt"].map(|name| stage.gateway.folder().join(name));
        let [out, err] = said.clone().map(|path| std::fs::File::create(path).unwrap());
        let mut program = command.stdin(Stdio::null()).stdout(out).stderr(err).spawn().unwrap();
        let _ = tokio::time::timeout(PATIENCE, program.wait()).await;
        let [said, errors] = said.map(|path| text(&path));
        cells.extend(self.read(&said, &errors, asked));
        for (place, outcome) in &mut cells {
            if place.feature == "abort" && *outcome == Outcome::Good {
                *outcome = stopped(&stage, &place.upstream).await;
            }
        }
        Ok(cells)
    }

    fn obstacle(&self, place: &Place) -> Option<String> {
        let mode = if place.streamed { "streamed" } else { "whole" };
        let names = [place.feature.clone(), format!("{} {mode}", place.feature)];
        let with = self.no_with.get(&place.upstream);
        let lists = [Some(&self.no), with].into_iter().flatten();
        lists.flat_map(|list| names.iter().filter_map(|name| list.get(name))).next().cloned()
    }

    fn plan(&self, stage: &Stage, asked: &[Place]) -> Value {
        let cell = |place: &Place| {
            json!({
                "model": format!("{}/{}", place.upstream, place.feature),
                "upstream": place.upstream, "feature": place.feature, "streamed": place.streamed,
            })
        };
        json!({
            "url": stage.gateway.url, "key": stage.gateway.key, "surface": self.surface,
            "expected": expected(), "cells": asked.iter().map(cell).collect::<Vec<_>>(),
        })
    }

    /// What was printed. A program that ends early or takes too long leaves cells, which have failed
    /// then.
    fn read(&self, said: &str, errors: &str, asked: Vec<Place>) -> Vec<(Place, Outcome)> {
        let mut told = BTreeMap::new();
        for line in said.lines().filter(|line| line.starts_with('{')) {
            let line: Line = serde_json::from_str(line).unwrap_or_else(|e| panic!("{line}: {e}"));
            let place = Place::new(&self.name, &line.feature, &line.upstream, line.streamed);
            let outcome = match line.result {
                Verdict::Ok => Outcome::Good,
                Verdict::Failed => Outcome::Failed(line.why),
            };
            told.insert(place, outcome);
        }
        let last = errors.lines().last().unwrap_or("it said nothing");
        let lost = || Outcome::Failed(format!("the program did not come to it: {last}"));
        let outcome = |place| (told.remove(&place).unwrap_or_else(lost), place);
        asked.into_iter().map(outcome).map(|(outcome, place)| (place, outcome)).collect()
    }

    fn command(&self) -> Result<Command, String> {
        let program = programs().join(&self.program);
        let mut command = match program.extension().and_then(|end| end.to_str()) {
            Some("py") => {
                let python = set("PATCHBAY_PYTHON")?;
                let import = format!("import {}", self.module);
                let found = std::process::Command::new(&python).args(["-c", &import]).output();
                if !found.is_ok_and(|output| output.status.success()) {
                    return Err(format!("{} has no module {}", python.display(), self.module));
                }
                Command::new(python)
            }
            Some("mjs") => {
                let modules = set("PATCHBAY_NODE_MODULES")?;
                // Either the folder itself or the one that holds it is what people name.
                let inner = modules.join("node_modules");
                let modules = if inner.is_dir() { inner } else { modules };
                if !modules.join(&self.module).is_dir() {
                    return Err(format!("{} has no {}", modules.display(), self.module));
                }
                let mut node = Command::new("node");
                node.env("PATCHBAY_NODE_MODULES", modules);
                node
            }
            _ => panic!("{}: a program is .py or .mjs", self.program),
        };
        command
            .arg(program)
            .envs([("NO_PROXY", "127.0.0.1"), ("no_proxy", "127.0.0.1")])
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .kill_on_drop(true);
        Ok(command)
    }
}

/// The upstream must have seen its client leave.
async fn stopped(stage: &Stage, dialect: &str) -> Outcome {
    let name = format!("{dialect}-abort");
    let received = stage.double.log(&name).await.as_array().unwrap().len();
    let log = stage.double.log_when(&name, received, received).await;
    let endings = log.as_array().unwrap().iter().map(|entry| entry["ending"].as_str().unwrap());
    let endings: Vec<&str> = endings.collect();
    match !endings.is_empty() && endings.iter().all(|ending| *ending == "client_left") {
        true => Outcome::Good,
        false => Outcome::Failed(format!("the upstream's replies ended as {endings:?}")),
    }
}

fn programs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/clients")
}

fn set(variable: &str) -> Result<PathBuf, String> {
    let found = std::env::var_os(variable).filter(|value| !value.is_empty());
    found.map(PathBuf::from).ok_or_else(|| format!("{variable} is not set"))
}

/// Says what is skipped, and why, past the capture: who runs the tests must see it when all pass.
fn skip(what_and_why: &str) {
    let _ = writeln!(std::io::stderr(), "skipped: {what_and_why}");
}
