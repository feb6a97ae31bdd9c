"""SOQL: text to tokens, to a tree, to SQL of the store."""
