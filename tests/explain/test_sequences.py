"""Texts and sounds: attributions sum to the output's difference, planted words and tones are found, and a naive loop agrees."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from glassnet import explain, zoo
from glassnet.data.preprocess.sound import SoundInputs
from glassnet.data.preprocess.vocabulary import Vocabulary
from glassnet.data.ragged import Ragged
from glassnet.data.sound_schema import SILENCE, SoundSchema
from glassnet.data.text_schema import TextSchema
from glassnet.errors import UsageError
from glassnet.explain.subject import subject
from glassnet.explain.tokens import _passed
from glassnet.model import Model
from glassnet.plots.explain_attributions import attribution_plot

WORDS = ["the", "film", "is", "good", "bad", "and", "not", "so", "very", "long"]
TEXTS = ["the film is good and so very long", "the film is bad", "not so bad and not so long , zyzzyva"]
RATE = 8000


def text_model(name: str, outputs: int = 3, **options: object) -> Model:
    vocabulary = Vocabulary("vocabulary", WORDS, 30)
    net = zoo.build(name, (30,), outputs, {"vocabulary": vocabulary.size, "embed": 6, **options}, seed=3)
    with torch.no_grad():
        for parameter in net.parameters():  # as large as after a training, so that differences are not lost in rounding
            parameter.mul_(2.0)
    classes = ("a", "b", "c")[: max(outputs, 2)]
    return Model(net.eval(), {}, vocabulary, TextSchema("words", "line", None, 30), "classes", classes, ("class",))


def texts(*given: str) -> Ragged:
    from glassnet.data.tokens import encode

    lexicon: dict[int, str] = {}
    return Ragged.of([encode(text, "words", lexicon) for text in given], lexicon)


NETS = [
    ("text-bag", {"buckets": 50}),
    ("text-bag", {"buckets": 0}),
    ("text-cnn", {"maps": 5, "windows": (2, 3)}),
    ("lstm", {"hidden": 7}),
    ("gru", {"hidden": 7}),
]


@pytest.mark.parametrize(("name", "options"), NETS, ids=str)
def test_what_the_words_get_sums_to_the_difference_of_the_outputs(name: str, options: dict[str, object]) -> None:
    model = text_model(name, **options)
    told = explain.integrated_gradients(model, TEXTS, "b", steps=256)
    about = subject(model, TEXTS)
    nothing = _passed(about, torch.zeros_like)[0][:, 1].detach().numpy()
    outputs = model.net(about.x)[:, 1].detach().numpy()
    np.testing.assert_allclose(told.against, nothing, atol=1e-6)
    np.testing.assert_allclose(told.values.sum(1), outputs - nothing, atol=0.02 * abs(outputs - nothing).max())
    assert abs(outputs - nothing).max() > 0.01
    assert [len(words) for words in told.tokens] == [8, 4, 9]
    for values, words in zip(told.values, told.tokens, strict=True):
        assert not values[len(words) :].any(), "padding counts for nothing"


def test_words_are_called_as_they_are_read() -> None:
    told = explain.saliency(text_model("text-bag"), TEXTS)
    assert told.tokens[1] == ("the", "film", "is", "bad")
    assert told.tokens[2][-2:] == ("⟨,⟩", "⟨zyzzyva⟩")


def test_a_bag_of_words_is_known_by_hand() -> None:
    """Of the mean of vectors and a linear head each word's share is w · e / N, and the same by hiding up to the unknown word's own share."""
    model = text_model("text-bag", buckets=0)
    told = explain.integrated_gradients(model, TEXTS[:1], 2)
    about = subject(model, TEXTS[:1])
    table, head = model.net.embed.table.weight.detach(), model.net.head.weight.detach()
    shares = table[about.x[0]] @ head[2] / about.x.shape[1]
    np.testing.assert_allclose(told.values[0], shares.numpy(), rtol=1e-4, atol=1e-6)
    hidden = explain.occlusion(model, TEXTS[:1], 2)
    unknown = float(table[1] @ head[2]) / about.x.shape[1]
    np.testing.assert_allclose(hidden.values[0], shares.numpy() - unknown, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("method", [explain.saliency, explain.integrated_gradients, explain.occlusion])
def test_the_planted_word_is_found(method) -> None:  # type: ignore[no-untyped-def]
    model = text_model("text-cnn", maps=1, windows=(1,), outputs=2)
    net = model.net
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.zero_()
        net.embed.table.weight[2 + WORDS.index("bad"), 0] = 1.0
        net.maps[0].weight[0, 0, 0] = 1.0
        net.head.weight[1, 0] = 3.0
    told = method(model, [TEXTS[0], TEXTS[1]], "b")
    assert told.tokens[1][int(abs(told.values[1]).argmax())] == "bad"
    if told.signed:
        np.testing.assert_allclose(told.values[1][:4], [0, 0, 0, 3.0], atol=1e-5)
        np.testing.assert_allclose(told.values[0], 0, atol=1e-6)


def test_hiding_words_is_a_slow_loop() -> None:
    model = text_model("lstm", hidden=5)
    told = explain.occlusion(model, TEXTS, 0)
    about = subject(model, TEXTS)
    with torch.no_grad():
        for row, words in enumerate(told.tokens):
            alone = about.x[row : row + 1, : len(words)]
            for place in range(len(words)):
                changed = alone.clone()
                changed[0, place] = 1
                fall = model.net(alone)[0, 0] - model.net(changed)[0, 0]
                assert told.values[row, place] == pytest.approx(float(fall), abs=1e-5)


def test_of_two_classes_told_by_one_output_both_are_explained() -> None:
    model = text_model("text-bag", outputs=1, buckets=0)
    first, second = explain.integrated_gradients(model, TEXTS, "a"), explain.integrated_gradients(model, TEXTS, "b")
    assert abs(first.values).max() > 1e-4
    np.testing.assert_allclose(first.values, -second.values, atol=1e-7)
    shares = explain.top_classes(model, TEXTS).probabilities[:, 0]
    np.testing.assert_allclose(shares, model.predict_proba(TEXTS).max(1).values.numpy(), atol=1e-6)


class Own(nn.Module):
    """Somebody's own net: words, their places, and something between the vectors and the answer."""

    def __init__(self) -> None:
        super().__init__()
        self.words, self.places = nn.Embedding(20, 4), nn.Embedding(9, 4)
        self.head = nn.Linear(4, 2)

    def forward(self, x: Tensor) -> Tensor:
        vectors = self.words(x) + self.places(torch.arange(x.shape[1]))
        return self.head(vectors.relu_().sum(1))


def test_a_net_of_somebodys_own_is_explained_and_left_as_it_was() -> None:
    net, x = Own().train(), torch.tensor([[3, 4, 5], [7, 7, 2]])
    told = explain.integrated_gradients(net, x, 1, steps=512)
    assert told.tokens == (("3", "4", "5"), ("7", "7", "2"))
    assert abs(told.gap).max() < 1e-2 * abs(told.values).sum()
    assert net.training
    assert not any(module._forward_hooks for module in net.modules())
    explain.saliency(net, x)
    explain.occlusion(net, x)


def test_a_net_without_embeddings_is_told() -> None:
    class Sums(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x.float().sum(1, keepdim=True)

    with pytest.raises(UsageError, match="no embedding"):
        explain.saliency(Sums(), torch.tensor([[1, 2, 3]]))
    np.testing.assert_allclose(explain.occlusion(Sums(), torch.tensor([[1, 2, 3]])).values, [[1, 2, 3]])


def sound_model(form: str) -> Model:
    hears = SoundInputs(form, RATE, RATE // 2)
    if form == "log-mel":
        net: nn.Module = nn.Sequential(nn.Conv2d(1, 3, 3, padding=1), nn.Tanh(), nn.Flatten(), nn.LazyLinear(2))
    else:
        net = nn.Sequential(nn.Flatten(), nn.LazyLinear(2), nn.Tanh())
    torch.manual_seed(0)
    with torch.no_grad():
        net(hears(torch.full((1, RATE // 2), SILENCE)))
    return Model(net.eval(), {}, hears, SoundSchema(RATE, RATE // 2), "classes", ("low", "high"), ("class",))


def tones(*hertz: float) -> Ragged:
    """Half a second each, a tone in its second quarter alone."""
    time = torch.arange(RATE // 2) / RATE
    loud = ((time >= 0.125) & (time < 0.25)).double()
    waves = [
        (0.5 * 32767 * torch.sin(2 * torch.pi * each * time.double()) * loud).round().to(torch.int64) for each in hertz
    ]
    return Ragged.of([(wave + SILENCE).tolist() for wave in waves])


@pytest.mark.parametrize("form", ["log-mel", "log-mel-steps", "waveform"])
def test_what_a_sound_gets_sums_to_the_difference_from_silence(form: str) -> None:
    pytest.importorskip("captum")
    model = sound_model(form)
    told = explain.integrated_gradients(model, tones(440, 2000).take(torch.arange(2)), "high", steps=256)
    assert told.seconds == 0.5
    assert told.values.shape == ((2, RATE // 2) if form == "waveform" else (2, *model.preprocess.output_shape[-2:]))
    assert abs(told.gap).max() < 0.02 * abs(told.scores - told.against).max()
    assert told.inputs.min() >= 0
    assert told.inputs.max() <= 1


def test_the_moment_and_the_tone_that_decide_are_found() -> None:
    model = sound_model("log-mel")
    bands, frames = model.preprocess.output_shape[-2:]

    class Listens(nn.Module):
        """Class 1 is how loud the upper half of the bands is in the second quarter."""

        def forward(self, x: Tensor) -> Tensor:
            loud = x[:, 0, bands // 2 :, frames // 4 : frames // 2].sum((1, 2))
            return torch.stack([torch.zeros_like(loud), loud], 1)

    heard = Model(Listens(), {}, model.preprocess, model.schema, "classes", ("low", "high"), ("class",))
    told = explain.saliency(heard, tones(3000).take(torch.arange(1)), "high")
    inside = np.zeros((bands, frames), dtype=bool)
    inside[bands // 2 :, frames // 4 : frames // 2] = True
    assert told.values[0][inside].min() > 0
    assert not told.values[0][~inside].any()
    caption = attribution_plot(told).caption
    # thirteen frames of 0.5/51 s count alike, from the twelfth on: seven of them hold half
    assert f"between {12 * 0.5 / 51:.3g} and {19 * 0.5 / 51:.3g} s of 0.5 s" in caption


def test_pictures_of_texts_and_sounds_have_words_that_follow_from_them() -> None:
    told = explain.integrated_gradients(text_model("text-bag"), TEXTS)
    words = told.tokens[0]
    strongest = words[int(abs(told.values[0]).argmax())]
    caption = attribution_plot(told).caption
    assert f"“{strongest}” speaks most strongly" in caption
    assert "of such a sum" in caption
    assert "⟨⟩" not in caption  # all words of the first text are known
    assert "⟨⟩" in attribution_plot(explain.integrated_gradients(text_model("text-bag"), TEXTS[::-1])).caption
    model = sound_model("waveform")
    assert "s of 0.5 s" in attribution_plot(explain.saliency(model, tones(440).take(torch.arange(1)))).caption
    maps = explain.feature_maps(sound_model("log-mel"), tones(440).take(torch.arange(1)))
    assert maps.inputs.shape[1] == 1
    assert maps.seconds == 0.5
