//! Reads lines of a log by number.

use super::codec::{Line, Lines, unpack};
use crate::ports::{FrameIndex, FrameStore, LogKey, StoreError};

/// Frames looked up at once.
const FRAMES: u32 = 64;

/// Reads up to `count` lines from number `first` on; only the frames that hold them are read.
pub async fn read_lines(
    store: &dyn FrameStore,
    key: &LogKey,
    first: u64,
    count: usize,
) -> Result<Vec<Line>, StoreError> {
    let mut lines = Vec::new();
    let mut next = first;
    while lines.len() < count {
        let frames = store.index(key, next, FRAMES).await?;
        if frames.is_empty() {
            break;
        }
        for frame in frames {
            if lines.len() >= count {
                break;
            }
            let skip = usize::try_from(next.saturating_sub(frame.first_line)).unwrap_or(usize::MAX);
            let wanted = count - lines.len();
            for line in frame_lines(store, key, &frame)
                .await?
                .skip(skip)
                .take(wanted)
            {
                lines.push(line?);
            }
            next = frame.first_line + u64::from(frame.lines);
        }
    }
    Ok(lines)
}

/// Reads and unpacks one frame.
pub(super) async fn frame_lines(
    store: &dyn FrameStore,
    key: &LogKey,
    frame: &FrameIndex,
) -> Result<Lines, StoreError> {
    let data = store.read(key, frame).await?;
    Ok(Lines::new(unpack(&data, frame.raw_bytes)?))
}

/// Counts the lines that a log has so far.
pub async fn count_lines(store: &dyn FrameStore, key: &LogKey) -> Result<u64, StoreError> {
    let last = store.last(key).await?;
    Ok(last.map_or(0, |it| it.first_line + u64::from(it.lines)))
}
