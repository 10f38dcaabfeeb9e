//! Clouds as the environment and the operator set them.

use crate::config::Config;
use crate::config::catalog::Catalog;

fn catalog(config: &str, environment: &[(&str, &str)]) -> Result<Catalog, anyhow::Error> {
    let environment = |name: &str| {
        let row = environment.iter().find(|(known, _)| *known == name);
        row.map(|(_, value)| (*value).to_owned())
    };
    Catalog::build(&Config::parse(config).unwrap(), environment)
}

#[test]
fn a_variable_is_the_operators_the_environments_or_the_default() {
    let base = |config, environment| {
        let catalog = catalog(config, environment).unwrap();
        catalog.providers["amazon-bedrock"].base_url.clone()
    };
    let at = |region| format!("https://bedrock-runtime.{region}.amazonaws.com");
    assert_eq!(base("", &[]), at("us-east-1"));
    assert_eq!(base("", &[("AWS_DEFAULT_REGION", "eu-west-3")]), at("eu-west-3"));
    let config = "[[provider]]\nslug = \"amazon-bedrock\"\nvariables = { region = \"eu-west-1\" }";
    assert_eq!(base(config, &[("AWS_REGION", "eu-west-3")]), at("eu-west-1"));
}

#[test]
fn a_variable_that_is_missing_names_the_ways_to_set_it() {
    let catalog = catalog("", &[("AZURE_API_KEY", "key")]).unwrap();
    let obstacle = catalog.providers["azure"].obstacle.clone().unwrap();
    assert!(obstacle.starts_with("AZURE_RESOURCE_NAME is not set"), "{obstacle}");
    assert!(obstacle.contains("variables = { resource = \"…\" }"), "{obstacle}");
    assert!(obstacle.contains("slug = \"azure\""), "{obstacle}");
}

#[test]
fn a_variable_can_not_lead_elsewhere() {
    let config = "[[provider]]\nslug = \"azure\"\nvariables = { resource = \"a.example/?\" }";
    let error = catalog(config, &[]).unwrap_err().to_string();
    assert!(error.contains("variables.resource is `a.example/?`"), "{error}");
}

#[test]
fn amazons_credential_is_one_key_or_put_together() {
    let credential = |environment| {
        let catalog = catalog("", environment).unwrap();
        let provider = &catalog.providers["amazon-bedrock"];
        let shown = provider.credential.as_ref().map(|it| it.expose().to_owned());
        (shown, provider.obstacle.clone())
    };
    let parts = [("AWS_ACCESS_KEY_ID", "id"), ("AWS_SECRET_ACCESS_KEY", "secret")];
    assert_eq!(credential(&parts), (Some("id:secret".to_owned()), None));
    let session = [parts[0], parts[1], ("AWS_SESSION_TOKEN", "token")];
    assert_eq!(credential(&session).0.as_deref(), Some("id:secret:token"));
    let both = [parts[0], parts[1], ("AWS_BEARER_TOKEN_BEDROCK", "key")];
    assert_eq!(credential(&both).0.as_deref(), Some("key"));
    let half = credential(&parts[..1]);
    let why = "AWS_BEARER_TOKEN_BEDROCK is not set, nor are AWS_ACCESS_KEY_ID and \
               AWS_SECRET_ACCESS_KEY";
    assert_eq!(half, (None, Some(why.to_owned())));
}

#[test]
fn a_key_file_that_is_not_there_is_an_obstacle() {
    let set = [("GOOGLE_APPLICATION_CREDENTIALS", "/no/such/key.json")];
    let catalog = catalog("", &set).unwrap();
    let obstacle = catalog.providers["google-vertex"].obstacle.clone().unwrap();
    assert!(obstacle.contains("/no/such/key.json can't be read"), "{obstacle}");
}
