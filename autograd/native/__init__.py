"""What differs between the two engines: recording and the backward pass, values, memory, rules in C, the choice."""
