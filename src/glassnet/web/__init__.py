"""The live page over run folders: ``application`` lists what it answers, ``server`` runs it, ``guard`` decides who may ask."""
