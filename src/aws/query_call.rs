//! Services that take a form in a POST and answer in XML: AWS's query protocol, as IAM speaks it.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use quick_xml::Reader;
use quick_xml::events::{BytesRef, Event};

use super::signed_call::{SignedAnswer, SignedService};
use super::{AwsError, Call};

/// A service that speaks AWS's query protocol.
#[derive(Clone, Debug)]
pub struct QueryService {
    /// Where it is.
    pub service: SignedService,
    /// The version of its API: `2010-05-08`.
    pub version: &'static str,
}

/// An answer in XML.
pub struct QueryAnswer(Vec<u8>);

impl QueryService {
    /// Makes a call, again where AWS was throttled, at fault or not reached.
    pub async fn call(
        &self,
        call: &Call,
        operation: &str,
        input: &[(&str, &str)],
    ) -> Result<QueryAnswer, AwsError> {
        let mut form = format!("Action={operation}&Version={}", self.version);
        for (name, value) in input {
            let value = utf8_percent_encode(value, NON_ALPHANUMERIC);
            form.push_str(&format!("&{name}={value}"));
        }
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        let content = self.service.post(call, &headers, &form, refused).await?;
        Ok(QueryAnswer(content))
    }
}

impl QueryAnswer {
    /// The texts of all elements of that name.
    pub fn texts(&self, element: &str) -> Vec<String> {
        let text = String::from_utf8_lossy(&self.0);
        let mut reader = Reader::from_str(&text);
        let (mut texts, mut inside) = (Vec::new(), None);
        loop {
            match reader.read_event() {
                Ok(Event::Start(start)) if start.local_name().as_ref() == element => {
                    inside = Some(String::new());
                }
                Ok(Event::Text(text)) => {
                    if let Some(whole) = &mut inside {
                        whole.push_str(&text.xml10_content());
                    }
                }
                Ok(Event::GeneralRef(reference)) => {
                    if let Some(whole) = &mut inside {
                        let resolved = of_reference(&reference);
                        whole.push_str(&resolved.unwrap_or_default());
                    }
                }
                Ok(Event::End(end)) if end.local_name().as_ref() == element => {
                    texts.extend(inside.take());
                }
                Ok(Event::Eof) | Err(_) => return texts,
                Ok(_) => {}
            }
        }
    }

    /// The text of the first.
    pub fn text(&self, element: &str) -> Option<String> {
        self.texts(element).into_iter().next()
    }
}

/// What stands for a character: `amp`, `#39`, `#x27`.
fn of_reference(reference: &BytesRef<'_>) -> Option<String> {
    match reference.resolve_char_ref() {
        Ok(Some(character)) => Some(character.into()),
        _ => quick_xml::escape::resolve_predefined_entity(reference).map(ToOwned::to_owned),
    }
}

fn refused(call: &Call, answer: &SignedAnswer) -> AwsError {
    let xml = QueryAnswer(answer.content.clone());
    let code = xml.text("Code").unwrap_or_default();
    let message = xml.text("Message").unwrap_or_default();
    AwsError::answered(call.clone(), answer.status, &code, &message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_read_whatever_stands_around_them() {
        let answer = QueryAnswer(
            b"<R><Role><Arn>arn:1</Arn><D>a &amp; b&#39;s</D></Role><m><Arn>arn:2</Arn></m><E/></R>".to_vec(),
        );
        assert_eq!(answer.texts("Arn"), ["arn:1", "arn:2"]);
        assert_eq!(answer.text("D").as_deref(), Some("a & b's"));
        assert_eq!(answer.text("Nothing"), None);
        assert!(QueryAnswer(b"<R><Arn>x".to_vec()).texts("Arn").is_empty());
    }
}
