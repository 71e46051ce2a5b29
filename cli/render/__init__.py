"""Values turned into what a person reads on a terminal; nothing here decides anything."""
