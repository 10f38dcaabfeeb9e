//! `catalog`: what a plugin is told of the models is what can be asked.

use serde_json::json;

use super::{double, gateway, grant, told};

/// A model that two providers serve, and one that nobody can be asked for.
fn more(url: &str) -> String {
    let provider = |slug: &str, rest: &str| {
        format!("[[provider]]\nslug = \"{slug}\"\nbase_url = \"{url}/{slug}\"\n{rest}\n")
    };
    let endpoint = |slug: &str, context: u32, most: u32, prompt: &str, completion: &str| {
        format!(
            "[[model.endpoint]]\nprovider = \"{slug}\"\nmodel = \"up\"\ncontext_length = {context}\n\
             max_output_tokens = {most}\n\
             price = {{ prompt = \"{prompt}\", completion = \"{completion}\" }}\n"
        )
    };
    [
        provider("near", "dialect = \"openai-chat\"\ncredential = \"none\""),
        provider("far", "dialect = \"openai-chat\"\ncredential = \"none\""),
        "[[model]]\nid = \"test/twice\"\nname = \"Twice\"\ncontext_length = 8000\n\
         input_modalities = [\"text\", \"image\"]\nsupported_parameters = [\"tools\"]\n"
            .to_owned(),
        endpoint("near", 8000, 500, "3", "4.5"),
        endpoint("far", 6000, 700, "2", "9"),
        "[[model]]\nid = \"test/locked\"\ncontext_length = 8000\n".to_owned(),
        // A provider that is known, and has no credential.
        endpoint("openai", 8000, 500, "1", "1"),
    ]
    .concat()
}

#[tokio::test]
async fn the_models_are_those_that_can_be_asked() {
    let double = double().await;
    let gateway = gateway(&double, &format!("{}{}", grant(&[]), more(&double.url))).await;
    let said = told(&gateway, &json!({"catalog": "*"})).await;
    let (count, models) = said.split_once(": ").unwrap().1.split_once(" models: ").unwrap();
    let ids: Vec<&str> = models.split("; ").map(|it| it.split(" | ").next().unwrap()).collect();
    assert_eq!(count, ids.len().to_string(), "{said}");
    assert!(ids.is_sorted(), "{ids:?}");
    let (_, listed) = gateway.get("/models").await;
    let listed = listed["data"].as_array().unwrap().iter();
    let mut listed: Vec<&str> = listed.map(|model| model["id"].as_str().unwrap()).collect();
    listed.sort_unstable();
    assert_eq!(ids, listed);
    assert!(ids.contains(&"test/plain") && ids.contains(&"patchbay/sim"), "{ids:?}");
    assert!(!ids.contains(&"test/locked"), "{ids:?}");
}

#[tokio::test]
async fn a_model_is_told_with_the_best_that_one_of_its_endpoints_offers() {
    let double = double().await;
    let gateway = gateway(&double, &format!("{}{}", grant(&[]), more(&double.url))).await;
    let plain = "catalog: 1 models: test/plain | test/plain | 100000 tokens | writes 1000 | \
                 text+image+file to text | tools+tool_choice+reasoning+max_tokens | \
                 1000000000 and 2000000000 nanos";
    let twice = "catalog: 1 models: test/twice | Twice | 8000 tokens | writes 700 | \
                 text+image to text | tools | 2000000000 and 4500000000 nanos";
    for (name, wanted) in [
        ("test/plain", plain),
        ("test/plain:caller", plain),
        ("test/plain:floor", plain),
        ("test/plain:nitro:caller", plain),
        ("test/twice", twice),
        ("test/plain:unheard", "catalog: 0 models: "),
        ("test/nobody", "catalog: 0 models: "),
        ("", "catalog: 0 models: "),
    ] {
        assert_eq!(told(&gateway, &json!({"catalog": name})).await, wanted, "{name}");
    }
}
