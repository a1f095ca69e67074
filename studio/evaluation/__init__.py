"""Whether the tilt arrived: a judge of the data set, class shares with intervals, and distances to the tilted data."""
