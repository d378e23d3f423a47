"""What the compiled engine needs: rules in C, memory, what the engines do differently, and which one runs."""
