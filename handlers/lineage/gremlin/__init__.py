"""The graph on a Gremlin engine: Amazon Neptune, or a TinkerPop Gremlin Server."""
