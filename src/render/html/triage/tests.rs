//! The page as a whole: what it may not hold, and what it may weigh.
