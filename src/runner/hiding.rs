//! Hides secrets in what happened, before it is recorded, shown or decided upon.

use serde_json::Value;

use crate::{
    engine::{Event, Fault, Outcome},
    logs::Masker,
};

/// Hides secrets in whatever an event says in words.
pub(super) fn hide(masker: &Masker, event: &mut Event) {
    match event {
        Event::SetupFailed { fault }
        | Event::Pulled {
            fault: Some(fault), ..
        }
        | Event::Ended {
            outcome: Outcome::Faulted { fault, .. },
            ..
        } => hide_fault(masker, fault),
        Event::Ended {
            outcome: Outcome::Exited { cause, .. },
            ..
        } => {
            if let Some(cause) = cause {
                *cause = masker.mask_text(cause);
            }
        }
        Event::Based { bases, .. } => {
            for base in bases {
                base.image = masker.mask_text(&base.image);
                base.unknown = base.unknown.as_deref().map(|it| masker.mask_text(it));
            }
        }
        Event::Begun
        | Event::Pulled { fault: None, .. }
        | Event::Started { .. }
        | Event::Healthy { .. }
        | Event::Stopped { .. }
        | Event::Fired { .. }
        | Event::Abandoned { .. }
        | Event::CancelRequested { .. }
        | Event::Reissued { .. }
        | Event::Kept { .. }
        | Event::Tidied => {}
    }
}

fn hide_fault(masker: &Masker, fault: &mut Fault) {
    fault.message = masker.mask_text(&fault.message);
    fault.hint = masker.mask_text(&fault.hint);
}

/// Hides secrets in the texts of a value, such as names of images.
pub(super) fn hide_in(masker: &Masker, value: &mut Value) {
    match value {
        Value::String(text) => *text = masker.mask_text(text),
        Value::Array(list) => list.iter_mut().for_each(|it| hide_in(masker, it)),
        Value::Object(map) => map.values_mut().for_each(|it| hide_in(masker, it)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::hide;
    use crate::{
        engine::{Event, Fault, FaultKind},
        logs::Masker,
    };

    #[test]
    fn a_fault_says_no_secret_in_its_message_nor_in_its_hint() {
        let mut event = Event::Pulled {
            step: 0,
            fault: Some(Fault {
                kind: FaultKind::Image,
                message: "image r/hush:1 not found".to_owned(),
                hint: "Check the name of r/hush:1".to_owned(),
            }),
        };
        hide(&Masker::new(["hush"]), &mut event);
        let told = serde_json::to_string(&event).unwrap();
        assert!(!told.contains("hush"), "{told}");
    }
}
