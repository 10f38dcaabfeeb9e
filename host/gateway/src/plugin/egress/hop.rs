//! One hop of an errand: a URL that passed the checks, and what is sent there. The first hop is
//! the plugin's request; each redirect makes the next one.

use bytes::Bytes;
use http::StatusCode;
use http::header::{AUTHORIZATION, COOKIE, HeaderMap, HeaderName, LOCATION};
use reqwest::{Client, Request, Response, Url};

use super::address::Reach;
use super::credential::Credential;
use super::mask::Mask;
use super::pattern::{Access, literal};
use super::refusal::Refusal;
use super::{Errand, Method, header};

/// What is sent where.
pub(super) struct Hop {
    /// Where, without the secret and without a fragment.
    pub(super) url: Url,
    /// What to do there.
    pub(super) method: Method,
    /// What the grants say of the URL.
    pub(super) access: Access,
    headers: HeaderMap,
    body: Bytes,
    /// Whether the secret goes along. Once it was left behind it stays behind: a place that may
    /// not see it is not to choose the URL that it is sent to next.
    has_credential: bool,
}

impl Hop {
    /// The plugin's own request.
    ///
    /// # Errors
    /// When it is not well formed, not granted, or asks for the secret at another place.
    pub(super) fn first(errand: &Errand<'_>) -> Result<Self, Refusal> {
        if errand.url.len() > URL_BYTES_MAX {
            return Err(Refusal::Invalid(format!("the URL is over {URL_BYTES_MAX} bytes long")));
        }
        let url = Url::parse(errand.url)
            .map_err(|error| Refusal::Invalid(format!("the URL can't be read: {error}")))?;
        let headers = header::read(errand.headers)?;
        let (url, access) = admit(url, errand)?;
        if let Some(credential) = errand.credential.as_ref().filter(|it| !it.is_for(&url)) {
            let (origin, name) = (url.origin().ascii_serialization(), credential.name);
            let say = format!("secret `{name}` may not go to `{origin}`; add it to its hosts");
            return Err(Refusal::Denied(say));
        }
        Ok(Self {
            url,
            method: errand.method,
            access,
            headers,
            body: errand.body.clone(),
            has_credential: errand.credential.is_some(),
        })
    }

    /// The request to send.
    ///
    /// # Errors
    /// When the secret doesn't fit into its place.
    pub(super) fn request(
        &self,
        client: &Client,
        credential: Option<&Credential<'_>>,
    ) -> Result<Request, Refusal> {
        let (mut url, mut headers) = (self.url.clone(), self.headers.clone());
        if let Some(credential) = credential.filter(|_| self.has_credential) {
            credential.add(&mut url, &mut headers)?;
        }
        let mut request = client.request(self.method.into(), url).headers(headers);
        // An empty body is a body for these: servers want its length.
        let has_body = matches!(self.method, Method::Post | Method::Put | Method::Patch);
        if has_body || !self.body.is_empty() {
            request = request.body(self.body.clone());
        }
        request
            .build()
            .map_err(|error| Refusal::Invalid(format!("no request: {}", error.without_url())))
    }

    /// Where a reply redirects to, if it does.
    ///
    /// # Errors
    /// When that is no URL.
    pub(super) fn location(&self, response: &Response) -> Result<Option<Url>, Refusal> {
        if !REDIRECTS.contains(&response.status()) {
            return Ok(None);
        }
        let Some(location) = response.headers().get(LOCATION) else { return Ok(None) };
        let target = std::str::from_utf8(location.as_bytes()).ok();
        let target = target.filter(|target| target.len() <= URL_BYTES_MAX);
        match target.and_then(|target| self.url.join(target).ok()) {
            Some(url) => Ok(Some(url)),
            None => Err(Refusal::Protocol("the reply redirects to what is no URL".to_owned())),
        }
    }

    /// The next hop, changed as browsers do.
    ///
    /// # Errors
    /// When the target is not granted, or carries the secret to a place that may not see it.
    pub(super) fn redirected(
        self,
        status: StatusCode,
        target: Url,
        errand: &Errand<'_>,
        mask: &Mask,
    ) -> Result<Self, Refusal> {
        let (url, access) = admit(target, errand).map_err(Refusal::after_redirect)?;
        let Self { url: from, mut method, mut headers, mut body, has_credential, .. } = self;
        let may_see = errand.credential.as_ref().is_some_and(|it| it.is_for(&url));
        let has_credential = has_credential && may_see;
        if !has_credential && mask.finds_in_url(url.as_str()) {
            let say = "after a redirect: the URL carries the secret to where it may not go";
            return Err(Refusal::Denied(say.to_owned()));
        }
        if url.origin() != from.origin() {
            headers.remove(AUTHORIZATION);
            headers.remove(COOKIE);
        }
        let becomes_get = match status {
            StatusCode::MOVED_PERMANENTLY | StatusCode::FOUND => method == Method::Post,
            StatusCode::SEE_OTHER => !matches!(method, Method::Get | Method::Head),
            _ => false,
        };
        if becomes_get {
            (method, body) = (Method::Get, Bytes::new());
            for name in OF_THE_BODY {
                headers.remove(name);
            }
        }
        Ok(Self { url, method, access, headers, body, has_credential })
    }
}

/// Checks a URL against the grants, and its address if it is written out: the client connects to
/// such a one without asking its resolver.
fn admit(mut url: Url, errand: &Errand<'_>) -> Result<(Url, Access), Refusal> {
    if !matches!(url.scheme(), "http" | "https") {
        let say = format!("`{}` is not http or https", url.scheme());
        return Err(Refusal::Invalid(say));
    }
    // `https://api.example.com@evil.example` deceives readers, and the client would make a header
    // of it.
    if !url.username().is_empty() || url.password().is_some() {
        let say = "the URL has a user name or password; send them as a header";
        return Err(Refusal::Invalid(say.to_owned()));
    }
    url.set_fragment(None);
    let access = Access::to(&url, errand.public, errand.private);
    if access == Access::Denied {
        return Err(Refusal::not_granted(&url, errand.setting));
    }
    let Some(address) = literal(&url) else { return Ok((url, access)) };
    let is_named =
        || errand.private.iter().any(|pattern| pattern.is_for(address) && pattern.allows(&url));
    match Reach::of(address) {
        reach if reach.is_within(access) => Ok((url, access)),
        Reach::Metadata if is_named() => Ok((url, access)),
        Reach::Public | Reach::Private | Reach::Metadata => {
            Err(Refusal::private(&url, errand.setting))
        }
        Reach::Nowhere => Err(Refusal::forbidden(&url)),
    }
}

impl From<Method> for http::Method {
    fn from(method: Method) -> Self {
        match method {
            Method::Get => Self::GET,
            Method::Post => Self::POST,
            Method::Put => Self::PUT,
            Method::Patch => Self::PATCH,
            Method::Delete => Self::DELETE,
            Method::Head => Self::HEAD,
        }
    }
}

/// The statuses whose `location` is followed.
const REDIRECTS: [StatusCode; 5] = [
    StatusCode::MOVED_PERMANENTLY,
    StatusCode::FOUND,
    StatusCode::SEE_OTHER,
    StatusCode::TEMPORARY_REDIRECT,
    StatusCode::PERMANENT_REDIRECT,
];

/// Headers that go when the body goes.
const OF_THE_BODY: [HeaderName; 4] = [
    http::header::CONTENT_ENCODING,
    http::header::CONTENT_LANGUAGE,
    http::header::CONTENT_LOCATION,
    http::header::CONTENT_TYPE,
];

/// As long as common servers accept.
const URL_BYTES_MAX: usize = 8 * 1024;
