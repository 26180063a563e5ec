//! The answers of S3, as far as they are asked: a page of a list, the word for an error.

use crate::ObjectError;

/// An object of a page.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Listed {
    pub(super) key: String,
    pub(super) size: u64,
    pub(super) modified: String,
}

/// A page of a list.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Page {
    pub(super) objects: Vec<Listed>,
    /// Where the next one begins, if there is one.
    pub(super) next: Option<String>,
}

/// The answer to `ListObjectsV2`.
pub(super) fn page(text: &str) -> Result<Page, ObjectError> {
    let Some((_, list)) = text.split_once("<ListBucketResult") else {
        return Err(ObjectError::Answer("it is no list of objects"));
    };
    let mut page = Page::default();
    let mut rest = list;
    while let Some((_, from)) = rest.split_once("<Contents>") {
        let Some((object, after)) = from.split_once("</Contents>") else {
            return Err(ObjectError::Answer("the list of objects is cut"));
        };
        let size = element(object, "Size").and_then(|size| size.trim().parse().ok());
        let (Some(key), Some(size)) = (element(object, "Key"), size) else {
            return Err(ObjectError::Answer("an object of the list has no key or no size"));
        };
        let modified = element(object, "LastModified").unwrap_or_default();
        page.objects.push(Listed { key, size, modified });
        rest = after;
    }
    // Where an answer ends in the middle, it is not the whole list.
    if !list.contains("</ListBucketResult>") {
        return Err(ObjectError::Answer("the list of objects is cut"));
    }
    if element(list, "IsTruncated").as_deref() == Some("true") {
        let next = element(list, "NextContinuationToken").filter(|next| !next.is_empty());
        page.next = Some(next.ok_or(ObjectError::Answer("the list does not say how it goes on"))?);
    }
    Ok(page)
}

/// The word for what is wrong, if it is one: an answer may say anything.
pub(super) fn code(text: &str) -> String {
    let code = element(text, "Code").unwrap_or_default();
    let is_word = code.len() <= 64 && code.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if is_word { code } else { String::new() }
}

/// The text of the first element of that name.
fn element(text: &str, name: &str) -> Option<String> {
    let (_, from) = text.split_once(&format!("<{name}>"))?;
    let (value, _) = from.split_once(&format!("</{name}>"))?;
    let value = value.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"");
    Some(value.replace("&apos;", "'").replace("&amp;", "&"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_has_objects_and_says_whether_there_is_another() {
        let text = "<?xml version=\"1.0\"?><ListBucketResult xmlns=\"x\"><IsTruncated>true\
            </IsTruncated><Contents><Key>a&amp;b/00</Key><LastModified>2026-03-01T12:30:05.000Z\
            </LastModified><Size>7</Size></Contents><NextContinuationToken>t/+=\
            </NextContinuationToken></ListBucketResult>";
        let found = page(text).unwrap();
        assert_eq!(found.next.as_deref(), Some("t/+="));
        let object = &found.objects[0];
        assert_eq!((object.key.as_str(), object.size), ("a&b/00", 7));
        assert!(object.modified.starts_with("2026"));
        let last = text.replace("true", "false");
        assert_eq!(page(&last).unwrap().next, None);
    }

    #[test]
    fn an_answer_that_is_cut_or_is_none_is_no_shorter_list() {
        let whole = "<ListBucketResult><Contents><Key>k</Key><Size>7</Size></Contents>\
            <IsTruncated>false</IsTruncated></ListBucketResult>";
        assert!(page(whole).is_ok());
        for end in 0..whole.len() {
            assert!(page(&whole[..end]).is_err(), "{}", &whole[..end]);
        }
        let wrong =
            [whole.replace("7", "-7"), whole.replace("false", "true"), "<html></html>".to_owned()];
        assert!(wrong.iter().all(|text| page(text).is_err()));
    }

    #[test]
    fn of_an_error_only_a_word_is_repeated() {
        assert_eq!(code("<Error><Code>NoSuchKey</Code><Message>x</Message></Error>"), "NoSuchKey");
        assert_eq!(code("<Error><Code>\u{1b}[31m</Code></Error>"), "");
        assert_eq!(code(""), "");
    }
}
