"""What if: many replications of changed scenarios, compared with intervals."""
