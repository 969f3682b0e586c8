//! Any output, cut anywhere and crashed anywhere, gives the same lines.

use super::*;
use proptest::prelude::*;

const LONGEST_PART: usize = (64 << 10) + 20;

/// What a stream holds: its lines, masked, with their endings.
type Content = Vec<(Vec<u8>, Ending)>;

/// The lines of a stream by the plainest means.
fn expected(pieces: &[Output], stream: Stream) -> Content {
    let of_stream = pieces.iter().filter(|piece| piece.stream == stream);
    let all: Vec<u8> = of_stream.flat_map(|piece| piece.bytes.to_vec()).collect();
    let masker = Masker::new(SECRETS);
    let lines = all.split_inclusive(|byte| *byte == b'\n');
    lines
        .map(|line| match line.strip_suffix(b"\n") {
            Some(text) => (masker.mask(text).into_owned(), Ending::Newline),
            None => (masker.mask(line).into_owned(), Ending::Stream),
        })
        .collect()
}

/// The lines of a stream as read, the parts of long ones joined.
fn found(lines: &[Line], stream: Stream) -> Content {
    let mut joined = Content::new();
    let mut begun = Vec::new();
    for line in lines.iter().filter(|line| line.stream == stream) {
        assert!(line.text.len() <= LONGEST_PART, "{}", line.text.len());
        begun.extend_from_slice(&line.text);
        if line.ending != Ending::Continued {
            joined.push((std::mem::take(&mut begun), line.ending));
        }
    }
    if !begun.is_empty() {
        joined.push((begun, Ending::Stream)); // its end fell on a cut
    }
    joined
}

fn check(lines: &[Line], pieces: &[Output]) {
    for (number, line) in lines.iter().enumerate() {
        assert_eq!(line.number, number as u64);
    }
    for stream in [Stream::Stdout, Stream::Stderr] {
        let (found, expected) = (found(lines, stream), expected(pieces, stream));
        // Not assert_eq: long lines would be printed.
        assert!(found == expected, "{stream:?} differs");
    }
}

/// Pieces that end anywhere, with stamps that may repeat, secrets whole and in parts, and lines of any length.
fn any_output() -> impl Strategy<Value = Vec<Output>> {
    let text = prop_oneof![
        6 => "[a-c ]{0,6}",
        6 => "[a-c]{0,3}\n",
        2 => prop::sample::select(vec!["hunter22", "hunt", "er22", "andmore", "hunter22andmore"])
            .prop_map(str::to_owned),
        1 => (1usize..70_000).prop_map(|count| "x".repeat(count)),
    ];
    let part = (any::<bool>(), 0i64..3, prop::collection::vec(text, 0..6));
    prop::collection::vec(part, 0..30).prop_map(|pieces| {
        let mut at = 1;
        let pieces = pieces.into_iter().map(|(is_error, later, texts)| {
            at += later;
            let stream = [Stream::Stdout, Stream::Stderr][usize::from(is_error)];
            piece(stream, at, texts.concat().as_bytes())
        });
        pieces.collect()
    })
}

/// The same bytes with the same stamps in other pieces.
fn cut(pieces: &[Output], size: usize) -> Vec<Output> {
    let parts = |whole: &Output| -> Vec<Output> {
        let chunks = whole.bytes.chunks(size);
        chunks
            .map(|part| piece(whole.stream, whole.at_nanos, part))
            .collect()
    };
    pieces.iter().flat_map(parts).collect()
}

fn block_on(work: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build();
    runtime.unwrap().block_on(work);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_cutting_of_any_output_gives_the_same_lines(
        pieces in any_output(),
        size in prop::sample::select(vec![1_000, 16_384, 65_535, 65_536, 65_537, 1_000_000]),
    ) {
        block_on(async {
            let store = Arc::new(MemoryFrames::new());
            write_all(&store, 0, &pieces).await;
            let lines = read_all(&store, 0).await;
            check(&lines, &pieces);
            write_all(&store, 1, &cut(&pieces, size)).await;
            let parts = |lines: &[Line]| -> Vec<usize> {
                let of_stdout = lines.iter().filter(|line| line.stream == Stream::Stdout);
                of_stdout.map(|line| line.text.len()).collect()
            };
            let other = read_all(&store, 1).await;
            check(&other, &pieces);
            assert_eq!(parts(&lines), parts(&other));
        });
    }

    #[test]
    fn a_crash_anywhere_loses_and_doubles_nothing(
        pieces in any_output(),
        crash_at in any::<prop::sample::Index>(),
        flushes in prop::collection::vec(any::<bool>(), 30),
        kept in any::<prop::sample::Index>(),
        size in 1_000usize..80_000,
    ) {
        block_on(async {
            let store = Arc::new(MemoryFrames::new());
            let mut first = writer(&store, 0).await;
            let crash_at = crash_at.index(pieces.len() + 1);
            for (piece, flush) in pieces[..crash_at].iter().zip(flushes) {
                first.write(piece).await.unwrap();
                if flush {
                    first.flush().await.unwrap();
                }
            }
            first.stored().await.unwrap();
            drop(first);
            let frames = store.index(&key(0), 0, u32::MAX).await.unwrap();
            store.truncate(&key(0), kept.index(frames.len() + 1));

            let mut second = writer(&store, 0).await;
            let since = second.since();
            for piece in cut(&pieces, size) {
                if piece.at_nanos >= since.at_nanos {
                    second.write(&piece).await.unwrap();
                }
            }
            second.finish().await.unwrap();
            check(&read_all(&store, 0).await, &pieces);
        });
    }
}
