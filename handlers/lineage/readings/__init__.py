"""What AWS says when it is asked, on its way into the graph: messages, and the facts in them."""
