//! The options of a task that are about its base images.

use crate::tasks::{BaseImageKind, BaseImageTrigger, Definition, Follow};

/// The name of the trigger that `create` makes, as in ACR.
const BASE_IMAGE_TRIGGER: &str = "defaultBaseimageTriggerName";

/// Which base images start a task when they move.
#[derive(Debug, Clone, clap::Args)]
pub struct BaseImageArgs {
    /// Run when a base image has moved
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true", action = clap::ArgAction::Set)]
    base_image_trigger_enabled: Option<bool>,
    /// Which base images: runtime or all
    #[arg(long, value_name = "KIND", value_parser = base_image_kind)]
    base_image_trigger_type: Option<BaseImageKind>,
    /// Run when a base image has a new tag in this range of versions, too, such as golang=^1.22
    #[arg(long, value_name = "IMAGE=RANGE", value_parser = follow)]
    follow: Vec<Follow>,
    /// Wait so many seconds for other base images to move, and run once for all
    #[arg(long, value_name = "SECONDS")]
    settle: Option<u32>,
}

impl BaseImageArgs {
    /// Writes what was said into a definition.
    pub(super) fn apply(&self, task: &mut Definition) {
        if self.base_image_trigger_enabled == Some(false) {
            task.triggers.base_image = None;
            return;
        }
        let is_meant = self.base_image_trigger_enabled.is_some()
            || self.base_image_trigger_type.is_some()
            || self.settle.is_some()
            || !self.follow.is_empty();
        if !is_meant {
            return;
        }
        let usual = || BaseImageTrigger::new(BASE_IMAGE_TRIGGER);
        let trigger = task.triggers.base_image.get_or_insert_with(usual);
        trigger.kind = self.base_image_trigger_type.unwrap_or(trigger.kind);
        trigger.settle_seconds = self.settle.unwrap_or(trigger.settle_seconds);
        if !self.follow.is_empty() {
            trigger.follow.clone_from(&self.follow);
        }
    }
}

fn base_image_kind(word: &str) -> Result<BaseImageKind, String> {
    match word.to_ascii_lowercase().as_str() {
        "runtime" => Ok(BaseImageKind::Runtime),
        "all" => Ok(BaseImageKind::All),
        _ => Err("it is runtime or all".to_owned()),
    }
}

fn follow(word: &str) -> Result<Follow, String> {
    let (image, versions) = word
        .split_once('=')
        .ok_or("it is IMAGE=RANGE, such as golang=^1.22")?;
    Ok(Follow {
        image: image.to_owned(),
        versions: Some(versions.to_owned()),
        pattern: None,
        sets: None,
    })
}
