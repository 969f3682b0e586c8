//! How much a template may cost, and the purse it pays from while it runs.

/// Bounds one rendering; whatever would exceed one of them ends in an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Longest template text, in bytes.
    pub source_bytes: usize,
    /// Longest output, in bytes.
    pub output_bytes: usize,
    /// Deepest nesting of parentheses, blocks, `else if` chains, template calls and values.
    pub nesting: usize,
    /// Evaluation steps of one rendering; bytes and elements made by functions count too.
    pub steps: u64,
    /// Longest text or list a function may make, in bytes.
    pub value_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            source_bytes: 1 << 20,
            output_bytes: 4 << 20,
            nesting: 100,
            steps: 300_000,
            value_bytes: 1 << 20,
        }
    }
}

/// Bytes made or read by a function that cost as much as one evaluation step.
const BYTES_PER_STEP: usize = 16;

/// Counts down the steps of one rendering.
#[derive(Debug)]
pub struct Budget {
    steps_left: u64,
    value_bytes: usize,
    nesting: usize,
}

impl Budget {
    /// Fills the purse for one rendering.
    pub fn new(limits: &Limits) -> Self {
        Budget {
            steps_left: limits.steps,
            value_bytes: limits.value_bytes,
            nesting: limits.nesting,
        }
    }

    /// Pays for `count` evaluation steps.
    pub fn spend(&mut self, count: u64) -> Result<(), String> {
        match self.steps_left.checked_sub(count) {
            Some(left) => {
                self.steps_left = left;
                Ok(())
            }
            None => {
                self.steps_left = 0;
                Err("the template takes too many steps".into())
            }
        }
    }

    /// Pays for reading or copying `bytes` bytes.
    pub fn touch(&mut self, bytes: usize) -> Result<(), String> {
        self.spend((bytes / BYTES_PER_STEP) as u64)
    }

    /// Checks, before it is made, that a text of `bytes` bytes may be made.
    pub fn fits(&self, bytes: usize) -> Result<(), String> {
        if bytes > self.value_bytes {
            return Err(format!(
                "the result would exceed {} bytes",
                self.value_bytes
            ));
        }
        Ok(())
    }

    /// Checks, before it is made, that a list or map of `count` elements may be made.
    pub fn fits_elements(&self, count: usize) -> Result<(), String> {
        self.fits(count.saturating_mul(size_of::<super::Value>()))
    }

    /// Pays for a text of `bytes` bytes.
    pub fn allow_bytes(&mut self, bytes: usize) -> Result<(), String> {
        self.fits(bytes)?;
        self.touch(bytes)
    }

    /// Pays for a list or map of `count` elements.
    pub fn allow_elements(&mut self, count: usize) -> Result<(), String> {
        self.allow_bytes(count.saturating_mul(size_of::<super::Value>()))
    }

    /// Refuses values nested so deeply that walking them would exhaust the stack.
    pub fn allow_depth(&self, depth: usize) -> Result<(), String> {
        if depth > self.nesting {
            return Err(format!(
                "the value is nested deeper than {} levels, or holds itself",
                self.nesting
            ));
        }
        Ok(())
    }
}
