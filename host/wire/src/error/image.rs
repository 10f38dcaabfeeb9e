//! What providers say about pictures they can't take, in codes and in words. They share their
//! words across dialects, since the same models are served in several.

use super::ErrorType;

/// By a provider's own code, in lower case.
pub(crate) fn of_code(code: &str) -> Option<ErrorType> {
    let row = CODES.iter().find(|(_, codes)| codes.contains(&code));
    row.map(|(error_type, _)| *error_type)
}

/// By what a message says, in lower case.
pub(crate) fn of_message(message: &str) -> Option<ErrorType> {
    let says = |phrase: &&str| message.contains(*phrase);
    let row = PHRASES.iter().find(|(_, phrases)| phrases.iter().any(says));
    row.map(|(error_type, _)| *error_type)
}

/// OpenAI's codes: <https://platform.openai.com/docs/api-reference/responses/object>.
const CODES: [(ErrorType, &[&str]); 7] = [
    (
        ErrorType::InvalidImage,
        &[
            "invalid_image",
            "image_parse_error",
            "invalid_base64_image",
            "empty_image_file",
            "invalid_image_mode",
        ],
    ),
    (ErrorType::ImageTooLarge, &["image_too_large", "image_file_too_large"]),
    (ErrorType::ImageTooSmall, &["image_too_small"]),
    (
        ErrorType::UnsupportedImageFormat,
        &["unsupported_image_format", "invalid_image_format", "unsupported_image_media_type"],
    ),
    (ErrorType::ImageNotFound, &["image_not_found", "image_file_not_found"]),
    (
        ErrorType::ImageDownloadFailed,
        &["image_download_failed", "failed_to_download_image", "invalid_image_url"],
    ),
    (ErrorType::ContentPolicyViolation, &["image_content_policy_violation"]),
];

/// OpenAI's, Anthropic's, Google's and Alibaba's words.
const PHRASES: [(ErrorType, &[&str]); 5] = [
    (
        ErrorType::ImageTooLarge,
        &["image exceeds", "image dimensions exceed", "image is too large", "image size exceeds"],
    ),
    (
        ErrorType::ImageTooSmall,
        &["image is too small", "height or width must be larger than", "image dimensions are too"],
    ),
    (
        ErrorType::UnsupportedImageFormat,
        &[
            "unsupported image",
            "unsupported mime type: image/",
            "should be 'image/jpeg'",
            "image format is not supported",
        ],
    ),
    (
        ErrorType::ImageDownloadFailed,
        &[
            "unable to download the file",
            "cannot fetch content from the provided url",
            "error while downloading",
            "timeout while downloading",
            "failed to download image",
            "failed to download the image",
            "failed to fetch image",
        ],
    ),
    (
        ErrorType::InvalidImage,
        &[
            "could not process image",
            "unable to process input image",
            "provided image is not valid",
            "invalid image",
            "cannot identify image file",
            "but the image appears to be",
            "invalid base64 image",
        ],
    ),
];
