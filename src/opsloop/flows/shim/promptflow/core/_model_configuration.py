"""Where some flows import model configurations from."""

from promptflow.core import AzureOpenAIModelConfiguration, ModelConfiguration, OpenAIModelConfiguration

__all__ = ["AzureOpenAIModelConfiguration", "ModelConfiguration", "OpenAIModelConfiguration"]
