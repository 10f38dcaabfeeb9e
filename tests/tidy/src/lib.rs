//! The house rules that neither the compiler nor clippy checks, as tests: `cargo tidy`. It depends
//! on nothing and reads only this repository's text, so it answers in a second.
//!
//! To add a rule: a function from `&Tree` to findings in the file where it fits, its test here,
//! and a test beside it that shows it firing. A finding names the place and the fix.

#[cfg(test)]
mod gateway;
#[cfg(test)]
mod layout;
#[cfg(test)]
mod manifest;
#[cfg(test)]
mod text;
#[cfg(test)]
mod tree;

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use crate::tree::{Finding, Tree};
    use crate::{gateway, layout, manifest, text};

    static REPOSITORY: LazyLock<Tree> = LazyLock::new(Tree::of_repository);

    #[track_caller]
    fn holds(rule: fn(&Tree) -> Vec<Finding>) {
        let findings = rule(&REPOSITORY);
        let shown = findings.iter().map(|finding| format!("  {finding}\n")).collect::<String>();
        assert!(findings.is_empty(), "{} finding(s):\n{shown}", findings.len());
    }

    #[test]
    fn the_repository_was_found() {
        assert!(REPOSITORY.file("Cargo.toml").is_some());
        assert!(REPOSITORY.files.len() > 30);
    }

    #[test]
    fn every_file_says_what_it_is() {
        holds(text::header);
    }

    #[test]
    fn no_file_is_too_long() {
        holds(text::length);
    }

    #[test]
    fn no_file_is_named_after_nothing() {
        holds(text::name);
    }

    #[test]
    fn nothing_is_left_for_later() {
        holds(text::unfinished);
    }

    #[test]
    fn nothing_names_a_machine() {
        holds(text::machine);
    }

    #[test]
    fn modules_import_only_lower_ranks() {
        holds(gateway::ranks);
    }

    #[test]
    fn frameworks_stay_in_their_module() {
        holds(gateway::frameworks);
    }

    #[test]
    fn the_top_level_is_what_was_agreed() {
        holds(layout::top_level);
    }

    #[test]
    fn every_file_is_named_by_a_mod() {
        holds(layout::orphans);
    }

    #[test]
    fn every_dialect_has_fixtures() {
        holds(layout::dialect_fixtures);
    }

    #[test]
    fn every_plugin_has_cases() {
        holds(layout::plugin_cases);
    }

    #[test]
    fn the_world_names_every_interface() {
        holds(layout::interfaces);
    }

    #[test]
    fn versions_are_written_once() {
        holds(manifest::versions);
    }

    #[test]
    fn wire_and_ledger_stay_pure() {
        holds(manifest::purity);
    }
}
