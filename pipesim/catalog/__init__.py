"""Facts about AWS as data, each with its source: action types, rule types, limits, prices, and names for them."""
