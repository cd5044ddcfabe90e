using System.Reflection;
using Xunit.Sdk;

namespace PrivateHeaps.Tests.Conformance;

/// <summary>Runs a theory once for each family of each face.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class MemoryFacesAttribute : DataAttribute
{
    public override IEnumerable<object[]> GetData(MethodInfo testMethod) =>
        SuiteRunner.IsAlone
            ? [[new WinBaseFace(false)], [new WinBaseFace(true)]]
            : [[new WinBaseFace(false)], [new WinBaseFace(true)], [new NativeMemoryFace(false)], [new NativeMemoryFace(true)]];
}
