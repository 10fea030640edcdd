"""What the live page costs and how fast it is: the figures U1 to U9 and U13 of docs/web.md."""
