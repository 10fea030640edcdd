"""What the live page costs and how fast it is: the figures U1 to U9, U11, U13, U14 and U17 of docs/web.md."""
