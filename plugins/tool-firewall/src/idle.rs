//! Rules that could never act: who wrote them believes to be safe, so they are refused.

use crate::address;
use crate::options::{Listed, Options};

/// Looks for what no tool, no argument and no value could ever meet.
///
/// # Errors
/// The place in the options, and the fix.
pub(crate) fn check(options: &Options) -> Result<(), String> {
    options.allowed_tools.iter().enumerate().try_for_each(|(at, glob)| {
        check_glob(glob).map_err(|reason| format!("allowed_tools[{at}]: {reason}"))
    })?;
    options.rules.iter().enumerate().try_for_each(|(number, rule)| {
        check_rule(rule).map_err(|reason| format!("rules[{number}]{reason}"))
    })
}

fn check_rule(rule: &Listed) -> Result<(), String> {
    let demands = rule.required
        || rule.max_bytes.is_some()
        || rule.values.is_some()
        || rule.hosts.is_some()
        || rule.path_prefixes.is_some()
        || !(rule.terms.is_empty() && rule.patterns.is_empty());
    if !demands {
        return Err(" demands nothing: give it `terms`, `patterns`, `values`, `hosts`, \
                    `path_prefixes`, `max_bytes` or `required`"
            .into());
    }
    for (at, glob) in rule.tools.iter().flatten().enumerate() {
        check_glob(glob).map_err(|reason| format!(".tools[{at}]: {reason}"))?;
    }
    rule.path.as_deref().map_or(Ok(()), check_path)?;
    for (at, host) in rule.hosts.iter().flatten().enumerate() {
        if let Some(reason) = address::misfit(host) {
            return Err(format!(".hosts[{at}]: {reason}"));
        }
    }
    for (at, prefix) in rule.path_prefixes.iter().flatten().enumerate() {
        check_prefix(prefix).map_err(|reason| format!(".path_prefixes[{at}]: {reason}"))?;
    }
    Ok(())
}

/// Names of tools are letters, digits, `_`, `-`, and at some providers dots, colons and slashes.
fn check_glob(glob: &str) -> Result<(), String> {
    let is_strange = |it: char| it.is_whitespace() || r"^$()[]{}|\+?".contains(it);
    if glob.starts_with(".*") || glob.contains(is_strange) {
        return Err(format!(
            "no tool is called `{glob}`: write its name, where `*` stands for any characters"
        ));
    }
    Ok(())
}

/// Other notations of paths have no value.
fn check_path(path: &str) -> Result<(), String> {
    let is_other = path.starts_with('/')
        || path.contains('[')
        || path.split('.').any(|step| step.is_empty() || step == "$");
    if is_other {
        return Err(format!(
            ".path: `{path}` leads to no value: write keys and list positions with dots between, \
             such as `files.0.path` or `urls.*`"
        ));
    }
    Ok(())
}

fn check_prefix(prefix: &str) -> Result<(), String> {
    if address::path(prefix).is_none() {
        return Err("it leads above its beginning: write it without `..`".into());
    }
    if let Some((folder, _)) = prefix.split_once('*') {
        let folder = folder.rsplit_once('/').map_or(".", |(folder, _)| folder);
        let folder = if folder.is_empty() { "/" } else { folder };
        return Err(format!(
            "it is no pattern, and stands for all that lies below it: write `{folder}`"
        ));
    }
    Ok(())
}
