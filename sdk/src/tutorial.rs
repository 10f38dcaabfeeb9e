//! From nothing to a plugin that runs. Every block of Rust here is compiled, and its cases are run.
#![doc = include_str!("../TUTORIAL.md")]

#[cfg(test)]
mod tests {
    use std::path::Path;

    #[test]
    fn the_cases_it_shows_are_the_ones_that_are_run() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases");
        let mut count = 0;
        for section in include_str!("../TUTORIAL.md").split("\n`cases/").skip(1) {
            let (name, rest) = section.split_once('`').unwrap();
            let shown = rest.split("```json\n").nth(1).unwrap().split("```").next().unwrap();
            let run = std::fs::read_to_string(folder.join(name)).unwrap();
            assert_eq!(shown, run, "{name}");
            count += 1;
        }
        assert_eq!(std::fs::read_dir(folder).unwrap().count(), count, "a case is not shown");
    }
}
